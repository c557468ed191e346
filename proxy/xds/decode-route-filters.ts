/** What a route changes on the way: headers, host, path, copies, the place itself. What cannot be honoured is refused. */
import { invalidBackendCluster, wholePathPattern } from '../../api/xds/naming.ts'
import type {
  ClusterWeight,
  RedirectAction,
  RegexMatchAndSubstitute,
  Route,
  RouteAction,
} from '../../api/xds/types.ts'
import { hostProblem, pathProblem } from '../../core/http-field.ts'
import type {
  BackendFilters,
  Mirror,
  PathMatch,
  PathRewrite,
  Redirect,
  RouteFilters,
} from '../route/route-rule.ts'
import { decodeHeaderEdits } from './decode-header-edits.ts'
import { fractionOf } from './decode-route-match.ts'
import type { Problems } from './problems.ts'

function checked(text: string, problem: string | undefined, path: string, problems: Problems): string {
  if (problem !== undefined) problems.add(path, problem)
  return text
}

/** What a prefix_rewrite replaces, by what was matched. */
function prefixRewrite({ kind, value: matched }: PathMatch, value: string): PathRewrite {
  if (kind === 'regex' || kind === 'exact') return { kind: 'full', value }
  return { kind: kind === 'pathPrefix' || matched === '/' ? 'elements' : 'bytes', matched, value }
}

function pathRewrite(
  {
    prefix,
    regex,
  }: { readonly prefix: string | undefined; readonly regex: RegexMatchAndSubstitute | undefined },
  match: PathMatch,
  path: string,
  problems: Problems,
): PathRewrite | undefined {
  // An empty string is a field that is not set.
  if (prefix !== undefined && prefix !== '')
    return prefixRewrite(match, checked(prefix, pathProblem(prefix), `${path}.prefix_rewrite`, problems))
  if (regex === undefined) return undefined
  if (regex.pattern?.regex !== wholePathPattern)
    problems.add(
      `${path}.regex_rewrite.pattern`,
      `is not supported, but for the whole path: ${wholePathPattern}`,
    )
  const value = regex.substitution ?? ''
  return {
    kind: 'full',
    value: checked(value, pathProblem(value), `${path}.regex_rewrite.substitution`, problems),
  }
}

function hostRewrite(action: RouteAction, path: string, problems: Problems): string | undefined {
  for (const [name, value] of [
    ['auto_host_rewrite', action.autoHostRewrite],
    ['host_rewrite_header', action.hostRewriteHeader],
    ['host_rewrite_path_regex', action.hostRewritePathRegex],
  ] as const) {
    if (value !== undefined) problems.add(`${path}.${name}`, 'is not supported')
  }
  const host = action.hostRewriteLiteral
  if (host === undefined || host === '') return undefined
  return checked(host, hostProblem(host), `${path}.host_rewrite_literal`, problems)
}

function mirrors(action: RouteAction, path: string, problems: Problems): readonly Mirror[] {
  return (action.requestMirrorPolicies ?? []).map((policy, i) => {
    const here = `${path}.request_mirror_policies[${i}]`
    const cluster = policy.cluster ?? ''
    if (cluster === '') problems.add(`${here}.cluster`, 'is empty')
    if (policy.disableShadowHostSuffixAppend !== true)
      problems.add(`${here}.disable_shadow_host_suffix_append`, 'must be true: a copy keeps its Host')
    return { cluster, share: policy.runtimeFraction === undefined ? 1 : fractionOf(policy.runtimeFraction) }
  })
}

/** The filters of a route; undefined when there are none. */
export function decodeRouteFilters(
  route: Route,
  match: PathMatch,
  path: string,
  problems: Problems,
): RouteFilters | undefined {
  const action = route.route ?? {}
  const here = `${path}.route`
  const { requestHeadersToAdd, requestHeadersToRemove, responseHeadersToAdd, responseHeadersToRemove } = route
  const filters: RouteFilters = {
    requestHeaders: decodeHeaderEdits(
      requestHeadersToAdd,
      requestHeadersToRemove,
      `${path}.request_headers`,
      problems,
    ),
    responseHeaders: decodeHeaderEdits(
      responseHeadersToAdd,
      responseHeadersToRemove,
      `${path}.response_headers`,
      problems,
    ),
    host: hostRewrite(action, here, problems),
    path: pathRewrite({ prefix: action.prefixRewrite, regex: action.regexRewrite }, match, here, problems),
    mirrors: mirrors(action, here, problems).filter(({ cluster }) => cluster !== invalidBackendCluster),
  }
  const { requestHeaders, responseHeaders, host, path: rewritten } = filters
  const lists = requestHeaders.length + responseHeaders.length + filters.mirrors.length
  return lists === 0 && host === undefined && rewritten === undefined ? undefined : filters
}

/** The filters of one of several backends; undefined when there are none. */
export function decodeBackendFilters(
  weight: ClusterWeight,
  path: string,
  problems: Problems,
): BackendFilters | undefined {
  const host = weight.hostRewriteLiteral
  const filters: BackendFilters = {
    requestHeaders: decodeHeaderEdits(
      weight.requestHeadersToAdd,
      weight.requestHeadersToRemove,
      `${path}.request_headers`,
      problems,
    ),
    responseHeaders: decodeHeaderEdits(
      weight.responseHeadersToAdd,
      weight.responseHeadersToRemove,
      `${path}.response_headers`,
      problems,
    ),
    host:
      host === undefined || host === ''
        ? undefined
        : checked(host, hostProblem(host), `${path}.host_rewrite_literal`, problems),
  }
  const { requestHeaders, responseHeaders } = filters
  return requestHeaders.length + responseHeaders.length === 0 && filters.host === undefined
    ? undefined
    : filters
}

const redirectStatuses = {
  MOVED_PERMANENTLY: 301,
  FOUND: 302,
  SEE_OTHER: 303,
  TEMPORARY_REDIRECT: 307,
  PERMANENT_REDIRECT: 308,
} as const

function redirectScheme(action: RedirectAction, path: string, problems: Problems): Redirect['scheme'] {
  if (action.httpsRedirect === true) return 'https'
  const { schemeRedirect } = action
  if (schemeRedirect === undefined || schemeRedirect === '') return undefined
  if (schemeRedirect === 'http' || schemeRedirect === 'https') return schemeRedirect
  problems.add(`${path}.scheme_redirect`, 'must be http or https')
  return undefined
}

export function decodeRedirect(
  action: RedirectAction,
  match: PathMatch,
  path: string,
  problems: Problems,
): Redirect {
  const { hostRedirect = '', portRedirect = 0, pathRedirect = '' } = action
  if (hostRedirect !== '') checked(hostRedirect, hostProblem(hostRedirect), `${path}.host_redirect`, problems)
  if (portRedirect > 65_535) problems.add(`${path}.port_redirect`, `${portRedirect} is no port`)
  if (pathRedirect !== '') checked(pathRedirect, pathProblem(pathRedirect), `${path}.path_redirect`, problems)
  const rewritten = pathRewrite(
    { prefix: action.prefixRewrite, regex: action.regexRewrite },
    match,
    path,
    problems,
  )
  return {
    scheme: redirectScheme(action, path, problems),
    host: hostRedirect === '' ? undefined : hostRedirect,
    port: portRedirect === 0 ? undefined : portRedirect,
    path: pathRedirect === '' ? rewritten : { kind: 'full', value: pathRedirect },
    dropQuery: action.stripQuery === true,
    status: redirectStatuses[action.responseCode ?? 'MOVED_PERMANENTLY'],
  }
}
