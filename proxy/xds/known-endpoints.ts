/** Where clusters lead, as far as it is known: by assignment, or that their names were asked for. */
import type { EndpointConfig } from '../cluster/cluster-config.ts'
import type { DecodedCluster } from './decode-cluster.ts'

export class KnownEndpoints {
  readonly #assigned = new Map<string, readonly EndpointConfig[]>()
  readonly #namesAsked = new Set<string>()

  get(assignment: string): readonly EndpointConfig[] | undefined {
    return this.#assigned.get(assignment)
  }

  set(assignment: string, endpoints: readonly EndpointConfig[]): void {
    this.#assigned.set(assignment, endpoints)
  }

  /** The names of a cluster's endpoints were asked for; whether that is news. */
  asked(cluster: string): boolean {
    const news = !this.#namesAsked.has(cluster)
    this.#namesAsked.add(cluster)
    return news
  }

  /** Routes that lead to these clusters need not wait for them any longer. */
  areWarm(names: ReadonlySet<string>, clusters: ReadonlyMap<string, DecodedCluster>): boolean {
    for (const name of names) {
      const cluster = clusters.get(name)
      if (cluster === undefined || !this.#isWarm(name, cluster)) return false
    }
    return true
  }

  #isWarm(name: string, { endpoints }: DecodedCluster): boolean {
    if ('eds' in endpoints) return this.#assigned.has(endpoints.eds)
    return 'inline' in endpoints || this.#namesAsked.has(name)
  }

  delete(assignment: string): void {
    this.#assigned.delete(assignment)
  }

  /** The cluster is gone. */
  forget(cluster: string): void {
    this.#namesAsked.delete(cluster)
  }
}
