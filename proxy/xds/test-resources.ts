/** The resources that lead to one destination, and a sink that writes down what it is told, for tests. */
import { encode, pack } from '../../api/xds/codec.ts'
import type { ConfigSink } from '../config-sink.ts'

export const destination = 'catalog.shop:8080'
export const routes = 'catalog.shop.svc.cluster.local:8080'
const ads = { ads: {} }

/** With `tcp`, connections go to these clusters; opaque unless something inspects them. */
export function listener(tcp?: readonly string[], inspectors: readonly string[] = []): Buffer {
  const manager = { rds: { routeConfigName: routes, configSource: ads } }
  const apiListener = pack(
    'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    manager,
  )
  const proxy = {
    weightedClusters: { clusters: (tcp ?? []).map((cluster) => ({ name: cluster, weight: 1 })) },
  }
  const typedConfig = pack('envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', proxy)
  return encode('envoy.config.listener.v3.Listener', {
    name: destination,
    apiListener: { apiListener },
    ...(tcp !== undefined && { defaultFilterChain: { filters: [{ typedConfig }] } }),
    listenerFilters: inspectors.map((inspector) => ({ name: inspector })),
  })
}

export function routeTo(...clusters: readonly string[]): Buffer {
  const weighted = clusters.map((cluster) => ({ name: cluster, weight: { value: 1 } }))
  const route = { match: { prefix: '/' }, route: { weightedClusters: { clusters: weighted } } }
  return encode('envoy.config.route.v3.RouteConfiguration', {
    name: routes,
    virtualHosts: [{ domains: ['*'], routes: [route] }],
  })
}

export function routeByRegex(regex: string): Buffer {
  const route = { match: { safeRegex: { regex } }, route: { cluster: 'a' } }
  return encode('envoy.config.route.v3.RouteConfiguration', {
    name: routes,
    virtualHosts: [{ domains: ['*'], routes: [route] }],
  })
}

export function cluster(name: string): Buffer {
  return encode('envoy.config.cluster.v3.Cluster', { name, type: 'EDS', lbPolicy: 'LEAST_REQUEST' })
}

/** A Cluster whose endpoint is a name. */
export function namedCluster(name: string): Buffer {
  const address = { socketAddress: { address: 'api.example', portValue: 443 } }
  const loadAssignment = { endpoints: [{ lbEndpoints: [{ endpoint: { address } }] }] }
  return encode('envoy.config.cluster.v3.Cluster', { name, type: 'STRICT_DNS', loadAssignment })
}

/** A Cluster that no sidecar takes. */
export function badCluster(name: string): Buffer {
  return encode('envoy.config.cluster.v3.Cluster', { name, type: 'ORIGINAL_DST' })
}

export function endpoints(name: string): Buffer {
  return encode('envoy.config.endpoint.v3.ClusterLoadAssignment', { clusterName: name })
}

/** `calls` has one line per call, as `routes catalog.shop:8080`; `dnsAnswered` says that a cluster's names were asked for. */
export function recordingSink(): {
  readonly sink: ConfigSink
  readonly calls: string[]
  readonly dnsAnswered: (cluster: string) => void
} {
  const calls: string[] = []
  const record =
    (what: string) =>
    (first: unknown): void =>
      void calls.push(`${what} ${typeof first === 'string' ? first : (first as { name?: string }).name}`)
  const dns = new Map<string, () => void>()
  const sink: ConfigSink = {
    resolveEndpoints: (cluster, _dns, onAsked) => {
      calls.push(`names ${cluster}`)
      dns.set(cluster, onAsked)
    },
    setCluster: record('cluster'),
    setEndpoints: record('endpoints'),
    removeCluster: record('remove cluster'),
    setRoutes: record('routes'),
    setTcpRoute: record('tcp route'),
    setUnknown: record('unknown'),
    removeRoutes: record('remove routes'),
    setInbound: record('inbound'),
  }
  return { sink, calls, dnsAnswered: (cluster) => dns.get(cluster)?.() }
}
