/** What was counted since the last look, from the numbers that the data path keeps anyway: nothing is counted twice. */
import { type GoldenStats, latencyBucketsMs, replyOf } from './golden-stats.ts'
import type { LoadOf } from './load-of.ts'
import type { TcpStats } from './tcp-stats.ts'

/** The load of one interval that one name put on one cluster in one zone. */
export type Load = {
  readonly apex: string
  readonly backend: string
  readonly zone: string
  succeeded: number
  failed: number
  mtlsRequests: number
  latencySumMs: number
  readonly latencyCounts: Float64Array
  connections: number
  mtlsConnections: number
  openConnections: number
  /** Of opaque bytes, by mesh mTLS. */
  mtlsOpenConnections: number
}

export type LoadSources = {
  readonly golden: { all(): readonly GoldenStats[] }
  readonly tcp: { all(): readonly TcpStats[] }
  readonly clusters: {
    get(name: string):
      | {
          readonly endpoints: readonly {
            readonly config: { readonly zone: string }
            readonly pool: { readonly stats: { readonly open: number } }
          }[]
        }
      | undefined
  }
}

type SeenReplies = { succeeded: number; failed: number; sumMs: number; readonly counts: Uint32Array }

const latencyBuckets = latencyBucketsMs.length + 1

export class LoadDifferences {
  readonly #sources: LoadSources
  readonly #replies = new WeakMap<GoldenStats, SeenReplies>()
  readonly #opened = new WeakMap<TcpStats, number>()

  constructor(sources: LoadSources) {
    this.#sources = sources
  }

  /** The load since the last call; what was idle is left out. */
  take(): readonly Load[] {
    const loads = new Map<string, Load>()
    const { golden, tcp } = this.#sources
    for (const stats of golden.all()) if (stats.load !== undefined) this.#addReplies(stats, stats.load, loads)
    for (const stats of tcp.all())
      if (stats.load !== undefined) this.#addConnections(stats, stats.load, loads)
    const moved = [...loads.values()].filter(
      ({ succeeded, failed, connections, openConnections }) =>
        succeeded + failed + connections + openConnections > 0,
    )
    // Afterwards: connections that are kept for the next request, and nothing else, are no load.
    for (const load of moved) load.openConnections += this.#pooled(load)
    return moved
  }

  #addReplies(stats: GoldenStats, of: LoadOf, loads: Map<string, Load>): void {
    const load = loadFor(of, loads)
    const seen = this.#replies.get(stats) ?? {
      succeeded: 0,
      failed: 0,
      sumMs: 0,
      counts: new Uint32Array(stats.latencyCounts.length),
    }
    this.#replies.set(stats, seen)
    const { succeeded, failed } = outcomes(stats)
    const ended = succeeded + failed - seen.succeeded - seen.failed
    load.succeeded += succeeded - seen.succeeded
    load.failed += failed - seen.failed
    if (of.meshTls) load.mtlsRequests += ended
    load.latencySumMs += stats.latencySumMs - seen.sumMs
    stats.latencyCounts.forEach((count, i) => {
      load.latencyCounts[i] = (load.latencyCounts[i] as number) + count - (seen.counts[i] as number)
    })
    Object.assign(seen, { succeeded, failed, sumMs: stats.latencySumMs })
    seen.counts.set(stats.latencyCounts)
  }

  #addConnections(stats: TcpStats, of: LoadOf, loads: Map<string, Load>): void {
    const load = loadFor(of, loads)
    const opened = stats.opened - (this.#opened.get(stats) ?? 0)
    this.#opened.set(stats, stats.opened)
    load.connections += opened
    if (of.meshTls) load.mtlsConnections += opened
    const open = stats.opened - stats.closed
    load.openConnections += open
    if (of.meshTls) load.mtlsOpenConnections += open
  }

  /** Connections that requests share, whatever name they ask for. */
  #pooled({ backend, zone }: Load): number {
    let open = 0
    for (const { config, pool } of this.#sources.clusters.get(backend)?.endpoints ?? [])
      if (config.zone === zone) open += pool.stats.open
    return open
  }
}

function outcomes({ responses }: GoldenStats): { readonly succeeded: number; readonly failed: number } {
  let [succeeded, failed] = [0, 0]
  for (const [key, count] of responses) {
    if (replyOf(key).failed) failed += count
    else succeeded += count
  }
  return { succeeded, failed }
}

function loadFor({ apex, backend, zone }: LoadOf, loads: Map<string, Load>): Load {
  const key = `${apex} ${backend} ${zone}`
  const found = loads.get(key)
  if (found !== undefined) return found
  const made: Load = {
    apex,
    backend,
    zone,
    succeeded: 0,
    failed: 0,
    mtlsRequests: 0,
    latencySumMs: 0,
    latencyCounts: new Float64Array(latencyBuckets),
    connections: 0,
    mtlsConnections: 0,
    openConnections: 0,
    mtlsOpenConnections: 0,
  }
  loads.set(key, made)
  return made
}
