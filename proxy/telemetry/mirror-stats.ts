/** What became of the copies of requests, by the cluster that they went to; plain numbers, read at scrape. */
export type MirrorStats = {
  /** Answered, whatever the answer. */
  answered: number
  failed: number
  /** Not sent: the body is larger than what is kept of one. */
  tooLarge: number
  /** Not sent: too many wait for their answers, or the client broke off. */
  dropped: number
}

export class MirrorStatsTable {
  readonly #byCluster = new Map<string, MirrorStats>()

  /** Names come from configuration, so that there are never many. */
  for(cluster: string): MirrorStats {
    const found = this.#byCluster.get(cluster)
    if (found !== undefined) return found
    const made: MirrorStats = { answered: 0, failed: 0, tooLarge: 0, dropped: 0 }
    this.#byCluster.set(cluster, made)
    return made
  }

  all(): Iterable<[string, MirrorStats]> {
    return this.#byCluster
  }
}
