/** Which of a destination's rules a request meets, and why it does not meet the others. Pure. */
import type { DiagnosedRequest } from '../../api/diagnosis.ts'
import { compileRegex } from '../../core/linear-regex.ts'
import type { RouteMatch, TextMatch } from '../model/objects.ts'
import type { Rule } from '../model/rule.ts'

function regexMatches(pattern: string, text: string): boolean {
  const compiled = compileRegex(pattern)
  return compiled.ok && compiled.matches(text)
}

/** A prefix ends where a segment does. */
function pathMatches({ kind, value }: RouteMatch['path'], path: string): boolean {
  switch (kind) {
    case 'exact':
      return path === value
    case 'regex':
      return regexMatches(value, path)
    case 'prefix': {
      const prefix = value.replace(/\/$/, '')
      return path === prefix || path.startsWith(`${prefix}/`)
    }
  }
}

function pathText({ kind, value }: RouteMatch['path']): string {
  if (kind === 'exact') return `the path is not ${value}`
  return kind === 'prefix' ? `the path is not below ${value}` : `the path does not match ${value}`
}

function textMatches({ value, regex }: TextMatch, text: string): boolean {
  return regex ? regexMatches(value, text) : text === value
}

function describeText({ name, value, regex }: TextMatch, what: string): string {
  return `${what} ${name} ${regex ? 'does not match' : 'is not'} '${value}'`
}

/** Why `request` does not meet `match`, part by part; empty: it does. */
export function mismatches(match: RouteMatch | undefined, request: DiagnosedRequest): readonly string[] {
  if (match === undefined) return []
  const [path = '/', search = ''] = request.path.split('?', 2)
  const query = new URLSearchParams(search)
  const header = (name: string): string =>
    request.headers
      .filter((field) => field.name === name.toLowerCase())
      .map(({ value }) => value)
      .join(', ')
  return [
    ...(pathMatches(match.path, path) ? [] : [pathText(match.path)]),
    ...(match.method === undefined || match.method === request.method
      ? []
      : [`the method is not ${match.method}`]),
    ...match.headers
      .filter((wanted) => !textMatches(wanted, header(wanted.name)))
      .map((wanted) => describeText(wanted, 'header')),
    ...match.query
      .filter((wanted) => !textMatches(wanted, query.get(wanted.name) ?? ''))
      .map((wanted) => describeText(wanted, 'query parameter')),
  ]
}

/** The first rule that the request meets: they stand in the order in which they are tried. */
export function matchingRule(rules: readonly Rule[], request: DiagnosedRequest): Rule | undefined {
  return rules.find(({ match }) => mismatches(match, request).length === 0)
}
