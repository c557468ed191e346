/** What a rule matches -> RouteMatch. */
import type { HeaderMatcher, QueryParameterMatcher, RouteMatch } from '../../api/xds/types.ts'
import type { RouteMatch as ModelMatch, TextMatch } from '../model/objects.ts'
import type { ClientKind } from './client-kind.ts'

function text(match: TextMatch): { exact: string } | { safeRegex: { regex: string } } {
  return match.regex ? { safeRegex: { regex: match.value } } : { exact: match.value }
}

export function matchOf(match: ModelMatch | undefined, client: ClientKind): RouteMatch {
  if (match === undefined) return { prefix: '/' }
  const headers: HeaderMatcher[] = match.headers.map((header) => ({
    name: header.name,
    stringMatch: text(header),
  }))
  if (match.method !== undefined) headers.push({ name: ':method', stringMatch: { exact: match.method } })
  const queryParameters: QueryParameterMatcher[] = match.query.map((query) => ({
    name: query.name,
    stringMatch: text(query),
  }))
  const { kind, value } = match.path
  const rest = { headers, queryParameters }
  if (kind === 'exact') return { path: value, ...rest }
  if (kind === 'regex') return { safeRegex: { regex: value }, ...rest }
  // Stock gRPC clients do not know the other kind of prefix, and their paths go on behind a service.
  if (client === 'grpc') return { prefix: value.endsWith('/') ? value : `${value}/`, ...rest }
  // Envoy wants the prefix without its last slash; the whole tree is a plain prefix.
  return value === '/' ? { prefix: '/', ...rest } : { pathSeparatedPrefix: value.replace(/\/$/, ''), ...rest }
}
