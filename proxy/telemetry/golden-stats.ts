/**
 * The golden metrics of one label set as plain numbers: the hot path adds, prom-client reads at scrape.
 * Names and labels are Linkerd's, so that its dashboards and Flagger's queries work unchanged.
 */

import { latencyBoundsMs as latencyBucketsMs } from '../../api/latency-bounds.ts'

export { latencyBucketsMs }

export type Labels = Readonly<Record<string, string>>

/** What load these numbers are of, for reports to the control plane. */
export type LoadOf = {
  /** The name that clients asked for. */
  readonly apex: string
  /** The cluster that served. */
  readonly backend: string
  readonly zone: string
  readonly meshTls: boolean
}

/** undefined: what the configuration does not name is not reported. */
export function loadOf(apex: string, backend: string, zone: string, meshTls: boolean): LoadOf | undefined {
  return apex === '' ? undefined : { apex, backend, zone, meshTls }
}

export class GoldenStats {
  readonly labels: Labels
  /** undefined: no part of what is reported. */
  readonly load: LoadOf | undefined
  requests = 0
  /** Replies by status code; index = status. Codes are three digits, so this is bounded. */
  readonly responses = new Map<number, number>()
  /** Not cumulative; the scrape adds them up. One more than bounds, for what is above the last. */
  readonly latencyCounts = new Uint32Array(latencyBucketsMs.length + 1)
  latencySumMs = 0
  latencyCount = 0
  /** Attempts beyond the first. */
  retries = 0
  lastUsedMs = 0

  constructor(labels: Labels, load?: LoadOf) {
    this.labels = labels
    this.load = load
  }

  /** Counts one reply, by its status and the time to its head. */
  response(status: number, latencyMs: number): void {
    this.responses.set(status, (this.responses.get(status) ?? 0) + 1)
    let bucket = 0
    while (bucket < latencyBucketsMs.length && latencyMs > (latencyBucketsMs[bucket] as number)) bucket++
    this.latencyCounts[bucket] = (this.latencyCounts[bucket] as number) + 1
    this.latencySumMs += latencyMs
    this.latencyCount++
  }
}

/** Beyond this many label sets the rest shares one: labels come from configuration, but a mesh can be large. */
const maxSeries = 2000

/** Finds or makes the stats of a label set; done when something is configured, not per request. */
export class GoldenStatsTable {
  readonly #byKey = new Map<string, GoldenStats>()
  readonly #overflow = new GoldenStats({ direction: 'outbound', overflow: 'true' })

  for(labels: Labels, load?: LoadOf): GoldenStats {
    const key = JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    const found = this.#byKey.get(key)
    if (found !== undefined) return found
    if (this.#byKey.size >= maxSeries) return this.#overflow
    const made = new GoldenStats(labels, load)
    this.#byKey.set(key, made)
    return made
  }

  /** Every label set that has counted something. */
  all(): GoldenStats[] {
    const used = [...this.#byKey.values(), this.#overflow].filter((stats) => stats.requests > 0)
    return used
  }
}
