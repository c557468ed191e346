/** What the data path is told, and by whom: xDS and bootstrap files write here, outbound and inbound read. */
import type { DnsHosts } from './dns/dns-endpoints.ts'
import type { ClusterConfig, EndpointConfig, InboundConfig } from './cluster/cluster-config.ts'
import type { VirtualHostRules } from './route/route-rule.ts'
import type { TcpRoute } from './route/tcp-route.ts'

/**
 * Receives configuration that is already validated. Each call swaps one thing atomically; exchanges in flight finish
 * on what they started with. Callers keep the order make before break: clusters and their endpoints first, then the
 * routes that name them; removal the other way round.
 */
export interface ConfigSink {
  setCluster(config: ClusterConfig): void
  setEndpoints(cluster: string, endpoints: readonly EndpointConfig[]): void
  /** The endpoints of `cluster` are names: calls `onAsked` once each was asked for, and keeps the cluster up to date. */
  resolveEndpoints(cluster: string, dns: DnsHosts, onAsked: () => void): void
  removeCluster(name: string): void
  /** `destination` is a name as subscribed (`catalog.shop:8080`), `apex` the service's own, the same for all its names. */
  setRoutes(destination: string, hosts: readonly VirtualHostRules[], apex?: string): void
  /** What becomes of its connections that are no requests; undefined: there is no such thing. */
  setTcpRoute(destination: string, route: TcpRoute | undefined, apex?: string): void
  /** The mesh does not know this name (any more): pass through or refuse, as the policy says. */
  setUnknown(destination: string): void
  removeRoutes(destination: string): void
  setInbound(config: InboundConfig): void
}

/** Asks for destinations on first use. */
export interface Discovery {
  /**
   * Resolves once `destination` is in the sink, known or unknown. Never rejects; with the control plane away it gives
   * up after a second and resolves with 'unavailable' (the caller passes through, counted).
   */
  resolve(destination: string): Promise<'known' | 'unknown' | 'unavailable'>
  /** Tells that a destination is in use, so that its name is not dropped as idle. Cheap; called at most once a minute per name. */
  touch(destination: string): void
}
