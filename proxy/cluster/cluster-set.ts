/** All clusters by name: what CDS and EDS say, with the live state behind. */
import type { ClusterConfig, EndpointConfig } from './cluster-config.ts'
import { OwnZone } from './own-zone.ts'
import { Cluster, type ClusterParts } from './cluster.ts'

export class ClusterSet {
  readonly #byName = new Map<string, Cluster>()
  readonly #zone: OwnZone
  readonly #parts: ClusterParts

  /** `zone`: where this sidecar is; empty: as it is told. */
  constructor(parts: ClusterParts, zone: string) {
    this.#zone = new OwnZone(zone)
    this.#parts = { ...parts, ownZone: this.#zone.current }
  }

  get(name: string): Cluster | undefined {
    return this.#byName.get(name)
  }

  all(): Iterable<Cluster> {
    return this.#byName.values()
  }

  set(config: ClusterConfig): Cluster {
    const present = this.#byName.get(config.name)
    if (present !== undefined) {
      present.reconfigure(config)
      return present
    }
    const made = new Cluster(config, this.#parts)
    this.#byName.set(config.name, made)
    return made
  }

  setEndpoints(name: string, endpoints: readonly EndpointConfig[]): void {
    this.#byName.get(name)?.setEndpoints(endpoints)
  }

  remove(name: string): void {
    this.#byName.get(name)?.drain()
    this.#byName.delete(name)
  }

  /** Where the control plane says that this sidecar is; undefined: it does not know. */
  tellZone(zone: string | undefined): void {
    if (!this.#zone.tell(zone)) return
    for (const cluster of this.#byName.values()) cluster.moved()
  }

  /** Closes connections that were idle too long. */
  sweep(): void {
    for (const cluster of this.#byName.values()) for (const endpoint of cluster.endpoints) endpoint.sweep()
  }
}
