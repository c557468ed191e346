/** Routing -> RouteConfiguration. */
import { invalidBackendCluster, weftMetadata } from '../../api/xds/naming.ts'
import { type Json, toStruct } from '../../api/xds/struct.ts'
import type { ClusterWeight, Route, RouteConfiguration, RouteMatch } from '../../api/xds/types.ts'
import type { MeshModel } from '../model/mesh-model.ts'
import { routingOf } from '../model/routing.ts'
import type { Rule, RuleFilters, WeightedBackend } from '../model/rule.ts'
import { ruleTraffic } from '../model/rule-traffic.ts'
import { trafficOf } from '../model/traffic.ts'
import type { TrafficSettings } from '../model/traffic-settings.ts'
import type { ClientKind } from './client-kind.ts'
import { type Destination, destinationOf } from './destination.ts'
import { hashPolicies } from './hash-policy.ts'
import {
  actionFields,
  backendName,
  fractionOf,
  headerFields,
  redirectAction,
  sessionFields,
} from './route-filters.ts'
import { matchOf } from './route-match.ts'
import { routePolicy } from './route-policy.ts'

function hasEndpoints(model: MeshModel, { backend }: WeightedBackend): boolean {
  const destination = backend === undefined ? undefined : destinationOf(model, backendName(backend))
  return (
    destination === undefined ||
    destination.service.externalName !== undefined ||
    model.endpoints(destination.key, destination.port.name).length > 0
  )
}

/** What the balancers of these backends hash, in the route that leads to them. */
function withHash(model: MeshModel, route: Route, backends: readonly WeightedBackend[]): Route {
  const inputs = backends.flatMap(({ backend }) => {
    const destination = backend === undefined ? undefined : destinationOf(model, backendName(backend))
    if (destination === undefined) return []
    return trafficOf(model, destination.service, destination.port).balancer?.hash ?? []
  })
  if (route.route === undefined || inputs.length === 0) return route
  return { ...route, route: { ...route.route, hashPolicy: hashPolicies(inputs) } }
}

/** A gRPC client sends a share to an empty backend and fails it; sidecars give it to the others by themselves. */
function sendable(model: MeshModel, rule: Rule, kind: ClientKind): readonly WeightedBackend[] {
  if (kind !== 'grpc' || rule.sharesMove !== true) return rule.backends
  const live = rule.backends.filter((entry) => entry.weight > 0 && hasEndpoints(model, entry))
  return live.length === 0 ? rule.backends : live
}

/** Who is asked for, and how those who send there are to treat it. */
type Request = { readonly kind: ClientKind; readonly traffic: TrafficSettings }

/** Fails with 500. Sidecars and gRPC clients have a cluster for that, which they know to be none; Envoy an answer. */
function failing({ name, grpc }: Rule, match: RouteMatch, kind: ClientKind): Route {
  if (kind === 'envoy')
    return {
      name,
      match,
      // Calls get UNAVAILABLE, which Envoy makes of 503.
      directResponse: {
        status: grpc === true ? 503 : 500,
        body: { inlineString: 'the route has no backend' },
      },
    }
  return { name, match, route: { cluster: invalidBackendCluster, timeout: { seconds: 0 } } }
}

function clusterWeight({ backend, weight, filters }: WeightedBackend): ClusterWeight {
  return {
    name: backend === undefined ? invalidBackendCluster : backendName(backend),
    weight: { value: weight },
    ...headerFields(filters),
    ...(filters?.host !== undefined && { hostRewriteLiteral: filters.host }),
  }
}

function metadataOf(facts: { readonly [key: string]: Json }): Pick<Route, 'metadata'> {
  if (Object.keys(facts).length === 0) return {}
  return { metadata: { filterMetadata: { [weftMetadata]: toStruct(facts) } } }
}

function redirecting(
  rule: Rule,
  redirect: NonNullable<RuleFilters['redirect']>,
  match: RouteMatch,
  kind: ClientKind,
): Route {
  // A gRPC client refuses the whole configuration for one redirect.
  if (kind === 'grpc') return failing(rule, match, kind)
  const { name, filters } = rule
  return { name, match, redirect: redirectAction(redirect, rule.match, kind), ...headerFields(filters) }
}

function forwarding(
  rule: Rule,
  backends: readonly WeightedBackend[],
  match: RouteMatch,
  { kind, traffic }: Request,
): Route {
  const { name, filters } = rule
  // Others would refuse settings of a filter that they do not have.
  const session = kind === 'sidecar' ? sessionFields(rule) : { facts: {} }
  const { action, perFilter } = routePolicy(ruleTraffic(rule, traffic), kind, rule.grpc)
  const { facts } = session
  return {
    name,
    match,
    route: {
      weightedClusters: { clusters: backends.map(clusterWeight) },
      ...action,
      ...actionFields(filters, rule.match, kind),
    },
    ...headerFields(filters),
    typedPerFilterConfig: { ...perFilter, ...session.typedPerFilterConfig },
    ...metadataOf({ ...facts, ...(rule.sharesMove === true && kind === 'sidecar' && { sharesMove: true }) }),
  }
}

/** Envoy has these for a route, and not for one of its clusters. */
function needsRoute({ backend, filters }: WeightedBackend, kind: ClientKind): boolean {
  if (backend === undefined) return kind === 'envoy'
  return (
    filters !== undefined &&
    (filters.redirect !== undefined || filters.path !== undefined || filters.mirrors.length > 0)
  )
}

/** One backend's part of a rule, as a rule of its own: its headers stay with its cluster, the rest becomes the rule's. */
function partOf(rule: Rule, backend: WeightedBackend): Rule {
  const outer = rule.filters
  const inner = backend.filters
  if (inner === undefined) return { ...rule, backends: [backend] }
  const filters: RuleFilters = {
    requestHeaders: outer?.requestHeaders,
    // A redirect has no cluster whose headers could be changed.
    responseHeaders: inner.redirect === undefined ? outer?.responseHeaders : inner.responseHeaders,
    host: inner.host ?? outer?.host,
    path: inner.path ?? outer?.path,
    mirrors: [...(outer?.mirrors ?? []), ...inner.mirrors],
    redirect: inner.redirect,
  }
  return { ...rule, filters, backends: [backend] }
}

/**
 * A rule whose backends differ in more than Envoy's clusters can becomes a route for each, all with the same match: the
 * first lets through the share of the first backend, the second that of the first two, and the last everything.
 */
function routesByShare(rule: Rule, request: Request): readonly Route[] {
  const live = rule.backends.filter((backend) => backend.weight > 0)
  const total = live.reduce((sum, backend) => sum + backend.weight, 0)
  let reached = 0
  return live.map((backend, i) => {
    reached += backend.weight
    const match = matchOf(rule.match, request.kind)
    const last = i === live.length - 1
    const share = last ? {} : { runtimeFraction: fractionOf({ numerator: reached, denominator: total }) }
    return routeOf(partOf(rule, backend), [backend], { ...match, ...share }, request)
  })
}

function routeOf(
  rule: Rule,
  backends: readonly WeightedBackend[],
  match: RouteMatch,
  request: Request,
): Route {
  const { kind } = request
  const redirect = rule.filters?.redirect
  if (redirect !== undefined) return redirecting(rule, redirect, match, kind)
  const total = backends.reduce((sum, backend) => sum + backend.weight, 0)
  // Nothing weighs anything: nobody may be sent to (Gateway API: 500).
  const nowhere = total === 0 || (kind === 'envoy' && backends.every(({ backend }) => backend === undefined))
  return nowhere ? failing(rule, match, kind) : forwarding(rule, backends, match, request)
}

function routesOf(model: MeshModel, rule: Rule, request: Request): readonly Route[] {
  const { kind } = request
  const backends = sendable(model, rule, kind)
  const live = backends.filter((backend) => backend.weight > 0)
  const routes = live.some((backend) => needsRoute(backend, kind))
    ? routesByShare({ ...rule, backends: live }, request)
    : [routeOf(rule, backends, matchOf(rule.match, kind), request)]
  return routes.map((route) => withHash(model, route, live))
}

/** `clientNamespace`: where the client is; its own routes to a service count for it alone. */
export function buildRoutes(
  model: MeshModel,
  name: string,
  { service, port }: Destination,
  kind: ClientKind,
  clientNamespace: string,
): RouteConfiguration {
  const { rules } = routingOf(model, service, port.port, clientNamespace)
  const request = { kind, traffic: trafficOf(model, service, port) }
  const routes = rules.flatMap((rule) => routesOf(model, rule, request))
  return { name, virtualHosts: [{ name, domains: ['*'], routes }] }
}
