/** RouteConfiguration -> rules. What cannot be honoured is refused with its path, never ignored. */
import { invalidBackendCluster } from '../../api/xds/naming.ts'
import type {
  Duration,
  HeaderMatcher,
  QueryParameterMatcher,
  Route,
  RouteAction,
  RouteConfiguration,
  RetryPolicy,
  RouteMatch,
  StringMatcher,
} from '../../api/xds/types.ts'
import { compileRegex } from '../../core/linear-regex.ts'
import type {
  NamedMatch,
  PathMatch,
  RouteRule,
  ValueMatch,
  VirtualHostRules,
  WeightedCluster,
} from '../route/route-rule.ts'
import type { RouteAction as Action } from '../route/route-rule.ts'
import type { Problems } from './problems.ts'

export type DecodedRoutes = {
  readonly hosts: readonly VirtualHostRules[]
  readonly clusters: ReadonlySet<string>
}

export function durationMs(duration: Duration | undefined): number | undefined {
  if (duration === undefined) return undefined
  const ms = (duration.seconds ?? 0) * 1000 + (duration.nanos ?? 0) / 1e6
  // Envoy reads a zero timeout as none.
  return ms > 0 ? ms : undefined
}

function checkedRegex(regex: string, path: string, problems: Problems): string {
  const compiled = compileRegex(regex)
  if (!compiled.ok) problems.add(path, compiled.problem)
  return regex
}

function stringMatch(matcher: StringMatcher, path: string, problems: Problems): ValueMatch {
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

function headerMatch(matcher: HeaderMatcher, path: string, problems: Problems): NamedMatch {
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

function pathMatch(match: RouteMatch, path: string, problems: Problems): PathMatch {
  if (match.path !== undefined) return { kind: 'exact', value: match.path }
  if (match.pathSeparatedPrefix !== undefined) return { kind: 'pathPrefix', value: match.pathSeparatedPrefix }
  if (match.safeRegex !== undefined) {
    return { kind: 'regex', value: checkedRegex(match.safeRegex.regex ?? '', `${path}.safe_regex`, problems) }
  }
  if (match.prefix === undefined) problems.add(path, 'has no path, prefix or regex')
  return { kind: 'prefix', value: match.prefix ?? '/' }
}

function routeMatch(match: RouteMatch | undefined, path: string, problems: Problems): RouteRule['match'] {
  if (match === undefined) problems.add(path, 'is missing')
  if (match?.runtimeFraction !== undefined) problems.add(`${path}.runtime_fraction`, 'is not supported')
  if (match?.caseSensitive?.value === false) problems.add(`${path}.case_sensitive`, 'false is not supported')
  return {
    path: pathMatch(match ?? { prefix: '/' }, path, problems),
    headers: (match?.headers ?? []).map((matcher, i) =>
      headerMatch(matcher, `${path}.headers[${i}]`, problems),
    ),
    query: (match?.queryParameters ?? []).map((matcher, i) =>
      queryMatch(matcher, `${path}.query_parameters[${i}]`, problems),
    ),
  }
}

function weighted(action: RouteAction, path: string, problems: Problems): readonly WeightedCluster[] {
  if (action.cluster !== undefined) return [{ cluster: action.cluster, weight: 1 }]
  const clusters = (action.weightedClusters?.clusters ?? []).map((entry, i) => {
    if ((entry.name ?? '') === '') problems.add(`${path}.weighted_clusters.clusters[${i}].name`, 'is empty')
    return { cluster: entry.name ?? '', weight: entry.weight?.value ?? 0 }
  })
  if (action.weightedClusters === undefined) problems.add(path, 'has neither cluster nor weighted_clusters')
  else if (clusters.every((entry) => entry.weight === 0))
    problems.add(`${path}.weighted_clusters`, 'all weights are zero')
  return clusters
}

/** What the safe default retries anyway; more has to be honoured or refused. */
const safeConditions = new Set(['connect-failure', 'refused-stream', 'reset-before-request'])

function checkRetries(policy: RetryPolicy | undefined, path: string, problems: Problems): void {
  if (policy === undefined) return
  for (const condition of (policy.retryOn ?? '').split(',')) {
    if (!safeConditions.has(condition.trim()))
      problems.add(`${path}.retry_on`, `'${condition.trim()}' is not supported`)
  }
  for (const [name, value] of [
    ['per_try_timeout', policy.perTryTimeout],
    ['retriable_status_codes', policy.retriableStatusCodes],
  ] as const) {
    if (value !== undefined) problems.add(`${path}.${name}`, 'is not supported')
  }
}

function routeAction(route: Route, path: string, problems: Problems): Action {
  if (route.directResponse !== undefined) {
    const { status = 0, body } = route.directResponse
    if (status < 200 || status > 599)
      problems.add(`${path}.direct_response.status`, `${status} is no final status`)
    return { kind: 'respond', status, body: body?.inlineString ?? '' }
  }
  if (route.redirect !== undefined) problems.add(`${path}.redirect`, 'is not supported')
  if (route.nonForwardingAction !== undefined)
    problems.add(`${path}.non_forwarding_action`, 'is not supported')
  const action = route.route
  if (action === undefined) {
    problems.add(path, 'has no action')
    return { kind: 'respond', status: 500, body: '' }
  }
  for (const [name, value] of [
    ['cluster_header', action.clusterHeader],
    ['prefix_rewrite', action.prefixRewrite],
    ['host_rewrite_literal', action.hostRewriteLiteral],
    ['request_mirror_policies', action.requestMirrorPolicies],
  ] as const) {
    if (value !== undefined) problems.add(`${path}.route.${name}`, 'is not supported')
  }
  checkRetries(action.retryPolicy, `${path}.route.retry_policy`, problems)
  return { kind: 'forward', clusters: weighted(action, `${path}.route`, problems) }
}

function routeRule(route: Route, path: string, problems: Problems): RouteRule {
  return {
    name: route.name ?? '',
    match: routeMatch(route.match, `${path}.match`, problems),
    action: routeAction(route, path, problems),
    timeoutMs: durationMs(route.route?.timeout),
  }
}

/** Rules by virtual host, and every cluster that they name. */
export function decodeRoutes(config: RouteConfiguration, problems: Problems, path = ''): DecodedRoutes {
  const hosts = (config.virtualHosts ?? []).map((host, h) => {
    const hostPath = `${path}virtual_hosts[${h}]`
    if ((host.domains ?? []).length === 0) problems.add(`${hostPath}.domains`, 'is empty')
    return {
      domains: host.domains ?? [],
      rules: (host.routes ?? []).map((route, r) => routeRule(route, `${hostPath}.routes[${r}]`, problems)),
    }
  })
  const clusters = new Set<string>()
  for (const { rules } of hosts) {
    for (const { action } of rules) {
      if (action.kind === 'forward') for (const { cluster } of action.clusters) clusters.add(cluster)
    }
  }
  clusters.delete(invalidBackendCluster)
  return { hosts, clusters }
}
