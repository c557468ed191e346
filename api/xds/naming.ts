/** How resources are named: the agreement between the control plane and its clients. */

/** Trust bundle and own certificate, as SDS names. */
export const rootCaSecret = 'ROOTCA'
export const defaultSecret = 'default'

/** The metadata namespaces of clusters and endpoints. */
export const weftMetadata = 'weft.dev'
export const transportSocketMatch = 'envoy.transport_socket_match'
/** The transport-socket match of an endpoint that is reached over mesh mTLS: `{ tlsMode: 'weft' }`. */
export const meshTlsMode = { tlsMode: 'weft' } as const

/** Listener filters of a destination whose protocol is to be found out; without one its connections are opaque. */
export const httpInspector = 'envoy.filters.listener.http_inspector'

/** A route's cluster that stands for a backend that does not exist. */
export const invalidBackendCluster = 'weft:invalid-backend'

/** The filter whose settings on a route keep sessions. */
export const statefulSessionFilter = 'envoy.filters.http.stateful_session'
export const faultFilter = 'envoy.filters.http.fault'
export const httpRbacFilter = 'envoy.filters.http.rbac'
export const networkRbacFilter = 'envoy.filters.network.rbac'
export const localRateLimitFilter = 'envoy.filters.http.local_ratelimit'
/** What sidecars are told of retries beyond Envoy's words: a `weft.route.v1.RetryOptions`, per route. */
export const retryOptions = 'weft.dev/retry'
/** The CEL expression that stands for the principal of a peer in a rate limit. */
export const peerPrincipalExpression = 'connection.uri_san_peer_certificate'

/** Which HTTP a cluster speaks, among its `typed_extension_protocol_options`. */
export const httpProtocolOptions = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'

/** The `regex_rewrite` that replaces the whole path, query apart. */
export const wholePathPattern = '^/.*$'

/** `catalog.shop.svc.cluster.local:8080`: routes, clusters and endpoints of a Service's port have this name. */
export function serviceResourceName(
  service: string,
  namespace: string,
  port: number,
  clusterDomain = 'cluster.local',
): string {
  return `${service}.${namespace}.svc.${clusterDomain}:${port}`
}

/** A Service's port, out of any of the names that a client may use for it; undefined when it is none. */
export function parseServiceName(
  name: string,
  clusterDomain = 'cluster.local',
): { readonly service: string; readonly namespace: string; readonly port: number } | undefined {
  const match = /^([a-z0-9-]+)\.([a-z0-9-]+)((?:\.[a-z0-9.-]+)?):([0-9]{1,5})$/.exec(name)
  if (match === null) return undefined
  const [, service, namespace, suffix, port] = match as unknown as [string, string, string, string, string]
  if (suffix !== '' && suffix !== '.svc' && suffix !== `.svc.${clusterDomain}`) return undefined
  return { service, namespace, port: Number(port) }
}

/** `inbound/shop/web-0`: the Listener that tells a sidecar about its own workload. */
export function inboundListenerName(namespace: string, pod: string): string {
  return `inbound/${namespace}/${pod}`
}

/** Namespace and pod of an inbound Listener's name; undefined when it is none. */
export function parseInboundListenerName(
  name: string,
): { readonly namespace: string; readonly pod: string } | undefined {
  const match = /^inbound\/([^/]+)\/([^/]+)$/.exec(name)
  return match === null ? undefined : { namespace: match[1] as string, pod: match[2] as string }
}

/** `inbound:8080`: the cluster of the application's port on the loopback of its own machine. */
export function inboundClusterName(port: number): string {
  return `inbound:${port}`
}

/** The port of an inbound cluster's name; undefined when it is none. */
export function parseInboundClusterName(name: string): number | undefined {
  const match = /^inbound:([0-9]{1,5})$/.exec(name)
  return match === null ? undefined : Number(match[1])
}

/** `gateway/0.0.0.0:8080/catalog.shop:80`: the Listener by which a gateway serves a destination on an address. */
export function gatewayListenerName(address: string, destination: string): string {
  return `gateway/${address}/${destination}`
}

/** Address and destination of a gateway Listener's name; undefined when it is none. */
export function parseGatewayListenerName(
  name: string,
): { readonly address: string; readonly destination: string } | undefined {
  const match = /^gateway\/([^/]+)\/([^/]+)$/.exec(name)
  return match === null ? undefined : { address: match[1] as string, destination: match[2] as string }
}
