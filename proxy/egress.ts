/** Hosts outside of the mesh: those that clusters name, and those that nobody but a request does. */
import type { Clock } from '../core/clock.ts'
import type { ClusterSet } from './cluster/cluster-set.ts'
import type { ClusterParts } from './cluster/cluster.ts'
import { type DnsCounts, DnsEndpoints, type DnsHosts } from './dns/dns-endpoints.ts'
import type { HostResolver } from './dns/host-resolver.ts'
import { Passthrough } from './passthrough.ts'

export type EgressOptions = {
  readonly clock: Clock
  readonly resolver: HostResolver
  /** A host of a cluster has no address; what was known of it stays in use. */
  readonly onNameUnresolved: (cluster: string, host: string, error: unknown) => void
  readonly onNameResolved: (cluster: string, host: string) => void
}

export type EgressParts = {
  readonly clusters: ClusterSet
  readonly clusterParts: ClusterParts
  /** Ours: a request for it would come back here for ever. */
  readonly isOwnAddress: (host: string, port: number) => boolean
}

export class Egress {
  readonly passthrough: Passthrough
  readonly #dns: DnsEndpoints
  readonly #parts: EgressParts

  constructor(options: EgressOptions, parts: EgressParts) {
    const { clock, resolver, onNameUnresolved: onFailed, onNameResolved: onResolved } = options
    const { clusterParts, isOwnAddress } = parts
    this.#parts = parts
    this.#dns = new DnsEndpoints({ clock, resolver, onFailed, onResolved })
    this.passthrough = new Passthrough({ clock, resolver, clusterParts, isOwnAddress })
  }

  /** Look-ups of the names that clusters lead to; read at scrape. */
  get lookUps(): DnsCounts {
    return this.#dns.counts
  }

  /** Keeps the endpoints of a cluster to what their names mean; calls `onAsked` once each was asked for. */
  resolve(cluster: string, dns: DnsHosts, onAsked: () => void): void {
    const { clusters, isOwnAddress } = this.#parts
    this.#dns.watch(cluster, dns, (endpoints) => {
      const others = endpoints.filter(({ address, port }) => !isOwnAddress(address, port))
      clusters.setEndpoints(cluster, others)
      onAsked()
    })
  }

  /** The cluster is gone, or leads elsewhere. */
  forget(cluster: string): void {
    this.#dns.unwatch(cluster)
  }

  close(): void {
    this.#dns.close()
  }
}
