/** Compiles what a rule matches into one predicate; a request only runs it. */
import { type Exchange } from '../exchange.ts'
import type { NamedMatch, PathMatch, RouteMatch, ValueMatch } from './route-rule.ts'

export type Predicate = (x: Exchange) => boolean

function pathOf(target: string): string {
  const query = target.indexOf('?')
  return query === -1 ? target : target.slice(0, query)
}

function pathPredicate(match: PathMatch): Predicate | undefined {
  const { value } = match
  switch (match.kind) {
    case 'exact':
      return (x) => pathOf(x.target) === value
    case 'prefix':
      return value === '/' || value === '' ? undefined : (x) => x.target.startsWith(value)
    case 'pathPrefix': {
      const bare = value.endsWith('/') ? value.slice(0, -1) : value
      if (bare === '') return undefined
      return (x) => {
        const path = pathOf(x.target)
        // Whole elements only: /foo matches /foo and /foo/bar, not /foobar.
        return path.startsWith(bare) && (path.length === bare.length || path.charCodeAt(bare.length) === 0x2f)
      }
    }
    case 'regex': {
      const pattern = new RegExp(`^(?:${value})$`)
      return (x) => pattern.test(pathOf(x.target))
    }
  }
}

function valuePredicate(match: ValueMatch): (value: string | undefined) => boolean {
  if (match.kind === 'present') return (value) => value !== undefined
  const wanted = match.value
  switch (match.kind) {
    case 'exact':
      return (value) => value === wanted
    case 'prefix':
      return (value) => value?.startsWith(wanted) === true
    case 'suffix':
      return (value) => value?.endsWith(wanted) === true
    case 'contains':
      return (value) => value?.includes(wanted) === true
    case 'regex': {
      const pattern = new RegExp(`^(?:${wanted})$`)
      return (value) => value !== undefined && pattern.test(value)
    }
  }
}

function headerPredicate({ name, match, invert }: NamedMatch): Predicate {
  const accepts = valuePredicate(match)
  if (name === ':method') return (x) => accepts(x.method) !== invert
  if (name === ':authority') return (x) => accepts(x.authority) !== invert
  if (name === ':path') return (x) => accepts(x.target) !== invert
  return (x) => accepts(x.headers.joined(name)) !== invert
}

function queryPredicate({ name, match, invert }: NamedMatch): Predicate {
  const accepts = valuePredicate(match)
  return (x) => {
    const query = x.target.indexOf('?')
    const value = query === -1 ? null : new URLSearchParams(x.target.slice(query + 1)).get(name)
    return accepts(value ?? undefined) !== invert
  }
}

/** The predicate of `match`, or undefined when it accepts everything. Throws SyntaxError on a regex that is none. */
export function compileMatch(match: RouteMatch): Predicate | undefined {
  const path = pathPredicate(match.path)
  const parts = [
    ...(path === undefined ? [] : [path]),
    ...match.headers.map(headerPredicate),
    ...match.query.map(queryPredicate),
  ]
  const [first] = parts
  if (first === undefined) return undefined
  return parts.length === 1 ? first : (x) => parts.every((part) => part(x))
}
