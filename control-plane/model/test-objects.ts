/** Objects of namespace `shop`, for tests. */
import type { Change, RouteGroup, SliceEndpoint, Split, TrafficPolicy, Workload } from './objects.ts'
import { noTrafficSettings, type TrafficSettings } from './traffic-settings.ts'

const namespace = 'shop'

export function service(name: string, port = 8080, clusterIps: readonly string[] = []): Change {
  const ports = [{ name: 'http', port, protocol: '' }]
  return {
    kind: 'service',
    key: `${namespace}/${name}`,
    value: { namespace, name, clusterIps, ports, traffic: noTrafficSettings },
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
): Change {
  const value = {
    service: `${namespace}/${of}`,
    ports: [{ name: 'http', port: 9090 }],
    endpoints: endpoints.map((endpoint) => ({ ready: true, workload: undefined, zone: '', ...endpoint })),
  }
  return { kind: 'slice', key: `${namespace}/${of}`, value }
}

export function workload(name: string, facts: Partial<Workload> = {}): Change {
  const value: Workload = {
    namespace,
    name,
    serviceAccount: name,
    inject: undefined,
    inbound: [],
    containerPorts: [8080],
    deployment: undefined,
    podTemplateHash: undefined,
    ...facts,
  }
  return { kind: 'workload', key: `${namespace}/${name}`, value }
}

/** A route of `parent` that sends everything to `backends`. */
export function route(name: string, parent: string, backends: readonly string[]): Change {
  const rule = {
    matches: [],
    backends: backends.map((backend) => ({
      namespace,
      service: backend,
      port: 8080,
      weight: 1,
      unsupported: false,
    })),
    timeoutMs: undefined,
  }
  const parents = [{ namespace, service: parent, port: undefined }]
  return {
    kind: 'route',
    key: `${namespace}/${name}`,
    value: { namespace, name, parents, rules: [rule], createdMs: undefined },
  }
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
