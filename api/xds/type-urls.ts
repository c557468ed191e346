/** The resource types that are pushed, by the names used in this project. */
export const resourceNames = {
  listener: 'envoy.config.listener.v3.Listener',
  routeConfiguration: 'envoy.config.route.v3.RouteConfiguration',
  cluster: 'envoy.config.cluster.v3.Cluster',
  clusterLoadAssignment: 'envoy.config.endpoint.v3.ClusterLoadAssignment',
  secret: 'envoy.extensions.transport_sockets.tls.v3.Secret',
} as const

export type ResourceKind = keyof typeof resourceNames

export const typeUrls = {
  listener: `type.googleapis.com/${resourceNames.listener}`,
  routeConfiguration: `type.googleapis.com/${resourceNames.routeConfiguration}`,
  cluster: `type.googleapis.com/${resourceNames.cluster}`,
  clusterLoadAssignment: `type.googleapis.com/${resourceNames.clusterLoadAssignment}`,
  secret: `type.googleapis.com/${resourceNames.secret}`,
} as const satisfies Record<ResourceKind, string>

const kinds = new Map<string, ResourceKind>(
  Object.entries(typeUrls).map(([kind, url]) => [url, kind as ResourceKind]),
)

/** The kind of a type URL, or undefined for one that we do not serve. */
export function resourceKindOf(typeUrl: string): ResourceKind | undefined {
  return kinds.get(typeUrl)
}
