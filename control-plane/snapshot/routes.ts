/** Routing -> RouteConfiguration. */
import { invalidBackendCluster, serviceResourceName, weftMetadata } from '../../api/xds/naming.ts'
import { toStruct } from '../../api/xds/struct.ts'
import type {
  HeaderMatcher,
  QueryParameterMatcher,
  Route,
  RouteConfiguration,
  RouteMatch,
} from '../../api/xds/types.ts'
import type { MeshModel } from '../model/mesh-model.ts'
import type { RouteMatch as ModelMatch, TextMatch } from '../model/objects.ts'
import { routingOf } from '../model/routing.ts'
import type { Rule, WeightedBackend } from '../model/rule.ts'
import type { ClientKind } from './client-kind.ts'
import { type Destination, destinationOf } from './destination.ts'

function backendName({ backend }: WeightedBackend): string {
  if (backend === undefined) return invalidBackendCluster
  const [namespace, service] = backend.key.split('/') as [string, string]
  return serviceResourceName(service, namespace, backend.port)
}

function hasEndpoints(model: MeshModel, entry: WeightedBackend): boolean {
  const destination = destinationOf(model, backendName(entry))
  return destination === undefined || model.endpoints(destination.key, destination.port.name).length > 0
}

/** A gRPC client sends a share to an empty backend and fails it; sidecars give it to the others by themselves. */
function sendable(model: MeshModel, rule: Rule, kind: ClientKind): readonly WeightedBackend[] {
  if (kind !== 'grpc') return rule.backends
  const live = rule.backends.filter((entry) => entry.weight > 0 && hasEndpoints(model, entry))
  return live.length === 0 ? rule.backends : live
}

function text(match: TextMatch): { exact: string } | { safeRegex: { regex: string } } {
  return match.regex ? { safeRegex: { regex: match.value } } : { exact: match.value }
}

function matchOf(match: ModelMatch | undefined): RouteMatch {
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
  // Envoy wants the prefix without its last slash; the whole tree is a plain prefix.
  return value === '/' ? { prefix: '/', ...rest } : { pathSeparatedPrefix: value.replace(/\/$/, ''), ...rest }
}

function routeOf(model: MeshModel, rule: Rule, kind: ClientKind): Route {
  const match = matchOf(rule.match)
  const backends = sendable(model, rule, kind)
  const total = backends.reduce((sum, backend) => sum + backend.weight, 0)
  // A rule whose backends all weigh nothing may not send anywhere (Gateway API: 500).
  if (total === 0)
    return {
      name: rule.name,
      match,
      directResponse: { status: 500, body: { inlineString: 'no backend has a weight' } },
    }
  const timeout =
    rule.timeoutMs === undefined
      ? undefined
      : { seconds: Math.floor(rule.timeoutMs / 1000), nanos: (rule.timeoutMs % 1000) * 1e6 }
  const limits =
    kind === 'grpc' && timeout !== undefined ? { maxStreamDuration: { maxStreamDuration: timeout } } : {}
  const clusters = backends.map((entry) => ({ name: backendName(entry), weight: { value: entry.weight } }))
  const facts = rule.sharesMove === true && kind === 'sidecar' ? { sharesMove: true } : undefined
  const metadata = facts && { filterMetadata: { [weftMetadata]: toStruct(facts) } }
  // Zero means none; left out, Envoy would take its 15 s.
  return {
    name: rule.name,
    match,
    metadata,
    route: { weightedClusters: { clusters }, timeout: timeout ?? { seconds: 0 }, ...limits },
  }
}

export function buildRoutes(
  model: MeshModel,
  name: string,
  { service, port }: Destination,
  kind: ClientKind,
): RouteConfiguration {
  const { rules } = routingOf(model, service, port.port)
  const routes = rules.map((rule) => routeOf(model, rule, kind))
  return { name, virtualHosts: [{ name, domains: ['*'], routes }] }
}
