/** RouteConfiguration -> rules. What cannot be honoured is refused with its path, never ignored. */
import { invalidBackendCluster, weftMetadata } from '../../api/xds/naming.ts'
import { fromStruct } from '../../api/xds/struct.ts'
import type { Route, RouteAction, RouteConfiguration, VirtualHost } from '../../api/xds/types.ts'
import { fieldValueProblem } from '../../core/http-field.ts'
import type {
  RouteAction as Action,
  RouteRule,
  VirtualHostRules,
  WeightedCluster,
} from '../route/route-rule.ts'
import { decodeHashPolicy } from './decode-hash-policy.ts'
import { decodeBackendFilters, decodeRedirect, decodeRouteFilters } from './decode-route-filters.ts'
import { decodeMatch } from './decode-route-match.ts'
import { decodeRoutePolicy } from './decode-route-policy.ts'
import { decodeSession } from './decode-session.ts'
import { durationMs } from './duration.ts'
import type { Problems } from './problems.ts'

export type DecodedRoutes = {
  readonly hosts: readonly VirtualHostRules[]
  readonly clusters: ReadonlySet<string>
}

/** Names are shown in headers. */
function checkShown(name: string | undefined, path: string, problems: Problems): void {
  const problem = fieldValueProblem(name ?? '')
  if (problem !== undefined) problems.add(path, problem)
}

function weighted(action: RouteAction, path: string, problems: Problems): readonly WeightedCluster[] {
  checkShown(action.cluster, `${path}.cluster`, problems)
  if (action.cluster !== undefined) return [{ cluster: action.cluster, weight: 1 }]
  const clusters = (action.weightedClusters?.clusters ?? []).map((entry, i) => {
    const here = `${path}.weighted_clusters.clusters[${i}]`
    if ((entry.name ?? '') === '') problems.add(`${here}.name`, 'is empty')
    checkShown(entry.name, `${here}.name`, problems)
    return {
      cluster: entry.name ?? '',
      weight: entry.weight?.value ?? 0,
      filters: decodeBackendFilters(entry, here, problems),
    }
  })
  if (action.weightedClusters === undefined) problems.add(path, 'has neither cluster nor weighted_clusters')
  else if (clusters.every((entry) => entry.weight === 0))
    problems.add(`${path}.weighted_clusters`, 'all weights are zero')
  return clusters
}

function directResponse(route: Route, path: string, problems: Problems): Action {
  const { status = 0, body } = route.directResponse ?? {}
  if (status < 200 || status > 599)
    problems.add(`${path}.direct_response.status`, `${status} is no final status`)
  return { kind: 'respond', status, body: body?.inlineString ?? '' }
}

/** A share that moves is SMI's; Envoy fails it, and so does the Gateway API. */
function sharesMove(route: Route): boolean {
  return fromStruct(route.metadata?.filterMetadata?.[weftMetadata])['sharesMove'] === true
}

function routeAction(route: Route, match: RouteRule['match'], path: string, problems: Problems): Action {
  if (route.directResponse !== undefined) return directResponse(route, path, problems)
  if (route.redirect !== undefined)
    return {
      kind: 'redirect',
      redirect: decodeRedirect(route.redirect, match.path, `${path}.redirect`, problems),
    }
  if (route.nonForwardingAction !== undefined)
    problems.add(`${path}.non_forwarding_action`, 'is not supported')
  const action = route.route
  if (action === undefined) {
    problems.add(path, 'has no action')
    return { kind: 'respond', status: 500, body: '' }
  }
  if (action.clusterHeader !== undefined) problems.add(`${path}.route.cluster_header`, 'is not supported')
  return {
    kind: 'forward',
    clusters: weighted(action, `${path}.route`, problems),
    sharesMove: sharesMove(route),
  }
}

function routeRule(route: Route, host: VirtualHost, path: string, problems: Problems): RouteRule {
  checkShown(route.name, `${path}.name`, problems)
  const match = decodeMatch(route.match, `${path}.match`, problems)
  return {
    name: route.name ?? '',
    match,
    action: routeAction(route, match, path, problems),
    timeoutMs: durationMs(route.route?.timeout),
    policy: decodeRoutePolicy(route, host.retryPolicy, path, problems),
    filters: decodeRouteFilters(route, match.path, path, problems),
    session: decodeSession(route, path, problems),
    hash: decodeHashPolicy(route.route, `${path}.route`, problems),
  }
}

/** Where requests of a rule, and copies of them, may go. */
function clustersOf({ action, filters }: RouteRule): readonly string[] {
  const backends = action.kind === 'forward' ? action.clusters.map(({ cluster }) => cluster) : []
  return [...backends, ...(filters?.mirrors ?? []).map(({ cluster }) => cluster)]
}

/** Rules by virtual host, and every cluster that they name. */
export function decodeRoutes(config: RouteConfiguration, problems: Problems, path = ''): DecodedRoutes {
  const hosts = (config.virtualHosts ?? []).map((host, h) => {
    const hostPath = `${path}virtual_hosts[${h}]`
    if ((host.domains ?? []).length === 0) problems.add(`${hostPath}.domains`, 'is empty')
    if (host.hedgePolicy !== undefined) problems.add(`${hostPath}.hedge_policy`, 'is not supported')
    return {
      domains: host.domains ?? [],
      rules: (host.routes ?? []).map((route, r) =>
        routeRule(route, host, `${hostPath}.routes[${r}]`, problems),
      ),
    }
  })
  const clusters = new Set(hosts.flatMap(({ rules }) => rules.flatMap(clustersOf)))
  clusters.delete(invalidBackendCluster)
  return { hosts, clusters }
}
