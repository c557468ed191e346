/** Compiles what a rule asks of a request beside its path into one predicate; a request only runs it. */
import { compileRegex } from '../../core/linear-regex.ts'
import type { Exchange } from '../exchange.ts'
import type { RequestFacts } from './request-facts.ts'
import type { NamedMatch, RouteMatch, ValueMatch } from './route-rule.ts'

export type Predicate = (x: Exchange, facts: RequestFacts) => boolean

/** Throws SyntaxError on a regex that cannot be used; validation has refused those before. */
function regexMatcher(pattern: string): (text: string) => boolean {
  const compiled = compileRegex(pattern)
  if (!compiled.ok) throw new SyntaxError(compiled.problem)
  return compiled.matches
}

/** Whether a value, or that there is none, is what `match` asks for. Throws as `compileMatch` does. */
export function valuePredicate(match: ValueMatch): (value: string | undefined) => boolean {
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
      const matches = regexMatcher(wanted)
      return (value) => value !== undefined && matches(value)
    }
  }
}

/** The field or pseudo field `name` of a request; undefined: it has none. */
export function fieldReader(name: string): (x: Exchange) => string | undefined {
  if (name === ':method') return (x) => x.method
  if (name === ':authority') return (x) => x.authority
  if (name === ':path') return (x) => x.target
  return (x) => x.headers.joined(name)
}

function headerPredicate({ name, match, invert }: NamedMatch): (x: Exchange) => boolean {
  const accepts = valuePredicate(match)
  const read = fieldReader(name)
  return (x) => accepts(read(x)) !== invert
}

/** Whether a request has all of `headers`; undefined when there are none to ask for. Throws as `compileMatch` does. */
export function headersPredicate(headers: readonly NamedMatch[]): ((x: Exchange) => boolean) | undefined {
  const parts = headers.map(headerPredicate)
  return parts.length === 0 ? undefined : (x) => parts.every((part) => part(x))
}

function queryPredicate({ name, match, invert }: NamedMatch): Predicate {
  const accepts = valuePredicate(match)
  return (_x, facts) => accepts(facts.query(name)) !== invert
}

/** The path where an index does not find it: by regex, or by bytes as Envoy's prefix. */
function pathPredicates({ path }: RouteMatch): Predicate[] {
  if (path.kind === 'regex') {
    const matches = regexMatcher(path.value)
    return [(_x, facts) => matches(facts.path)]
  }
  if (path.kind !== 'prefix' || path.value === '/' || path.value === '') return []
  return [(_x, facts) => facts.path.startsWith(path.value)]
}

function sharePredicates({ share }: RouteMatch): Predicate[] {
  return share === undefined ? [] : [(_x, facts) => facts.chance < share]
}

/**
 * Everything of `match` that `PathIndex` does not look at, or undefined when that accepts every request. Throws
 * SyntaxError on a regex that is none.
 */
export function compileMatch(match: RouteMatch): Predicate | undefined {
  const parts = [
    ...pathPredicates(match),
    ...match.headers.map(headerPredicate),
    ...match.query.map(queryPredicate),
    ...sharePredicates(match),
  ]
  const [first, second] = parts
  if (first === undefined) return undefined
  if (second === undefined) return first
  return (x, facts) => parts.every((part) => part(x, facts))
}
