/** Objects of namespace `shop`, for tests. */
import type {
  Change,
  Namespace,
  RouteGroup,
  SliceEndpoint,
  Split,
  TrafficPolicy,
  Workload,
} from './objects.ts'
import type { Route, RouteBackend, RouteRule } from './route.ts'
import { noTrafficSettings, type TrafficSettings } from './traffic-settings.ts'

const namespace = 'shop'

export function service(name: string, port = 8080, clusterIps: readonly string[] = []): Change {
  const ports = [{ name: 'http', port, protocol: '' }]
  return {
    kind: 'service',
    key: `${namespace}/${name}`,
    value: { namespace, name, clusterIps, ports, opaquePorts: undefined, traffic: noTrafficSettings },
  }
}

/** A Service of type ExternalName; without `ports` it has them all. */
export function externalService(name: string, externalName: string, ports: readonly number[] = []): Change {
  return {
    kind: 'service',
    key: `${namespace}/${name}`,
    value: {
      namespace,
      name,
      clusterIps: [],
      ports: ports.map((port) => ({ name: String(port), port, protocol: '' })),
      opaquePorts: undefined,
      externalName,
      traffic: noTrafficSettings,
    },
  }
}

/** A split of `catalog`, with weights in thousandths. */
export function split(
  name: string,
  weightsMilli: Readonly<Record<string, number>>,
  createdMs?: number,
  facts: Partial<Split> = {},
): Change {
  const backends = Object.entries(weightsMilli).map(([backend, weightMilli]) => ({
    service: backend,
    weightMilli,
  }))
  const value: Split = { namespace, name, apex: 'catalog', backends, matches: [], createdMs, ...facts }
  return { kind: 'split', key: `${namespace}/${name}`, value }
}

export function routeGroup(
  name: string,
  ...matches: readonly Partial<RouteGroup['matches'][number]>[]
): Change {
  const all = matches.map((match, i) => ({
    name: `m${i}`,
    pathRegex: undefined,
    methods: [],
    headers: [],
    ...match,
  }))
  return { kind: 'routeGroup', key: `${namespace}/${name}`, value: { namespace, name, matches: all } }
}

/** All endpoints of a service, at port 9090. */
export function slice(
  of: string,
  endpoints: readonly ({ readonly address: string } & Partial<SliceEndpoint>)[],
  portName = 'http',
): Change {
  const value = {
    service: `${namespace}/${of}`,
    ports: [{ name: portName, port: 9090 }],
    endpoints: endpoints.map((endpoint) => ({
      otherAddresses: [],
      ready: true,
      serving: true,
      workload: undefined,
      zone: '',
      forZones: [],
      ...endpoint,
    })),
  }
  return { kind: 'slice', key: `${namespace}/${of}`, value }
}

/** `shop` itself. */
export function namespaceShop(facts: Partial<Namespace> = {}): Change {
  const nothing = { inject: undefined, opaquePorts: undefined, bypassedPorts: {}, inboundPolicy: undefined }
  return { kind: 'namespace', key: namespace, value: { name: namespace, ...nothing, ...facts } }
}

export function workload(name: string, facts: Partial<Workload> = {}): Change {
  const value: Workload = {
    namespace,
    name,
    serviceAccount: name,
    labels: {},
    addresses: [],
    inject: undefined,
    inbound: [],
    containerPorts: [8080],
    opaquePorts: undefined,
    bypassedPorts: {},
    inboundPolicy: undefined,
    deployment: undefined,
    owner: undefined,
    node: undefined,
    podTemplateHash: undefined,
    ...facts,
  }
  return { kind: 'workload', key: `${namespace}/${name}`, value }
}

/** A backend of a rule: a Service of the same namespace, on port 8080, with an equal share. */
export function backendRef(to: string, facts: Partial<RouteBackend> = {}): RouteBackend {
  return { namespace, service: to, port: 8080, weight: 1, unsupported: false, filters: [], ...facts }
}

/** A rule that takes every request. */
export function routeRule(facts: Partial<RouteRule> = {}): RouteRule {
  return {
    name: undefined,
    matches: [],
    filters: [],
    backends: [],
    timeoutMs: undefined,
    attemptTimeoutMs: undefined,
    retry: undefined,
    session: undefined,
    ...facts,
  }
}

/** A route with rules of its own; of `parent`, unless `facts` name others. */
export function routeOf(
  name: string,
  parent: string,
  rules: readonly RouteRule[],
  facts: Partial<Route> = {},
): Change {
  const reference = { kind: 'Service', group: '', name: parent }
  const parents = [{ namespace, service: parent, port: undefined, sectionName: undefined, reference }]
  const value: Route = {
    kind: 'HTTPRoute',
    namespace,
    name,
    parents,
    rules,
    traffic: noTrafficSettings,
    createdMs: undefined,
    ...facts,
  }
  const kind = value.kind === 'HTTPRoute' ? 'route' : 'grpcRoute'
  return { kind, key: `${value.namespace}/${name}`, value }
}

/** A route of `parent` that sends everything to `backends`. */
export function route(name: string, parent: string, backends: readonly string[]): Change {
  return routeOf(name, parent, [routeRule({ backends: backends.map((backend) => backendRef(backend)) })])
}

/** A policy for `service` (on `port`). */
export function policy(
  name: string,
  of: string,
  settings: Partial<TrafficSettings>,
  more: { readonly port?: TrafficPolicy['targets'][number]['port']; readonly createdMs?: number } = {},
): Change {
  const value: TrafficPolicy = {
    namespace,
    name,
    targets: [{ service: of, port: more.port }],
    settings: { ...noTrafficSettings, ...settings },
    createdMs: more.createdMs,
  }
  return { kind: 'policy', key: `${namespace}/${name}`, value }
}

export function removed(change: Change): Change {
  return { ...change, value: undefined }
}
