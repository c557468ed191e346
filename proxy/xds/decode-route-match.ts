/** RouteMatch -> what a rule matches. What cannot be honoured is refused with its path, never ignored. */
import type {
  HeaderMatcher,
  QueryParameterMatcher,
  RouteMatch as MatchMessage,
  RuntimeFractionalPercent,
  StringMatcher,
} from '../../api/xds/types.ts'
import { compileRegex } from '../../core/linear-regex.ts'
import type { NamedMatch, PathMatch, RouteMatch, ValueMatch } from '../route/route-rule.ts'
import type { Problems } from './problems.ts'

const denominators = { HUNDRED: 100, TEN_THOUSAND: 10_000, MILLION: 1_000_000 } as const

/** A share from 0 to 1. */
export function fractionOf(fraction: RuntimeFractionalPercent): number {
  const { numerator = 0, denominator = 'HUNDRED' } = fraction.defaultValue ?? {}
  return Math.min(numerator / denominators[denominator], 1)
}

function checkedRegex(regex: string, path: string, problems: Problems): string {
  const compiled = compileRegex(regex)
  if (!compiled.ok) problems.add(path, compiled.problem)
  return regex
}

export function stringMatch(matcher: StringMatcher, path: string, problems: Problems): ValueMatch {
  if (matcher.ignoreCase === true) problems.add(`${path}.ignore_case`, 'is not supported')
  if (matcher.exact !== undefined) return { kind: 'exact', value: matcher.exact }
  if (matcher.prefix !== undefined) return { kind: 'prefix', value: matcher.prefix }
  if (matcher.suffix !== undefined) return { kind: 'suffix', value: matcher.suffix }
  if (matcher.contains !== undefined) return { kind: 'contains', value: matcher.contains }
  if (matcher.safeRegex !== undefined) {
    return {
      kind: 'regex',
      value: checkedRegex(matcher.safeRegex.regex ?? '', `${path}.safe_regex`, problems),
    }
  }
  problems.add(path, 'matches nothing that is known')
  return { kind: 'present' }
}

export function decodeHeaderMatch(matcher: HeaderMatcher, path: string, problems: Problems): NamedMatch {
  const name = (matcher.name ?? '').toLowerCase()
  if (name === '') problems.add(`${path}.name`, 'is empty')
  const invert = matcher.invertMatch === true
  if (matcher.exactMatch !== undefined)
    return { name, match: { kind: 'exact', value: matcher.exactMatch }, invert }
  if (matcher.stringMatch !== undefined) {
    return { name, match: stringMatch(matcher.stringMatch, `${path}.string_match`, problems), invert }
  }
  return { name, match: { kind: 'present' }, invert: invert !== (matcher.presentMatch === false) }
}

function queryMatch(matcher: QueryParameterMatcher, path: string, problems: Problems): NamedMatch {
  const name = matcher.name ?? ''
  if (name === '') problems.add(`${path}.name`, 'is empty')
  if (matcher.stringMatch === undefined)
    return { name, match: { kind: 'present' }, invert: matcher.presentMatch === false }
  return { name, match: stringMatch(matcher.stringMatch, `${path}.string_match`, problems), invert: false }
}

function pathMatch(match: MatchMessage, path: string, problems: Problems): PathMatch {
  if (match.path !== undefined) return { kind: 'exact', value: match.path }
  if (match.pathSeparatedPrefix !== undefined) {
    if (!match.pathSeparatedPrefix.startsWith('/'))
      problems.add(`${path}.path_separated_prefix`, 'must begin with /')
    return { kind: 'pathPrefix', value: match.pathSeparatedPrefix }
  }
  if (match.safeRegex !== undefined) {
    return { kind: 'regex', value: checkedRegex(match.safeRegex.regex ?? '', `${path}.safe_regex`, problems) }
  }
  if (match.prefix === undefined) problems.add(path, 'has no path, prefix or regex')
  return { kind: 'prefix', value: match.prefix ?? '/' }
}

export function decodeMatch(match: MatchMessage | undefined, path: string, problems: Problems): RouteMatch {
  if (match === undefined) problems.add(path, 'is missing')
  if (match?.caseSensitive?.value === false) problems.add(`${path}.case_sensitive`, 'false is not supported')
  return {
    path: pathMatch(match ?? { prefix: '/' }, path, problems),
    share: match?.runtimeFraction === undefined ? undefined : fractionOf(match.runtimeFraction),
    headers: (match?.headers ?? []).map((matcher, i) =>
      decodeHeaderMatch(matcher, `${path}.headers[${i}]`, problems),
    ),
    query: (match?.queryParameters ?? []).map((matcher, i) =>
      queryMatch(matcher, `${path}.query_parameters[${i}]`, problems),
    ),
  }
}
