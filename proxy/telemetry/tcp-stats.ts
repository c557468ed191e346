/** What is counted of the connections with one peer whose bytes nobody looks into; plain numbers, read at scrape. */
import type { SpliceBytes } from '../tcp/splice.ts'
import { latencyBucketsMs } from './golden-stats.ts'
import type { LoadOf } from './load-of.ts'
import { type Labels, type Series, SeriesTable } from './series-table.ts'

/** What is carried by `live` connections, and was by those before. */
export function sumOf(live: Iterable<SpliceBytes>, direction: keyof SpliceBytes, before: number): number {
  let sum = before
  for (const bytes of live) sum += bytes[direction]
  return sum
}

export class TcpStats implements Series {
  readonly labels: Labels
  /** undefined: no part of what is reported. */
  readonly load: LoadOf | undefined
  opened = 0
  /** Ended by both sides. */
  completed = 0
  /** Broken off by either, or by us. */
  broken = 0
  /** Of those that are over. */
  #readBytes = 0
  #writtenBytes = 0
  readonly #live = new Set<SpliceBytes>()
  /** Not cumulative; one more than bounds, for what is above the last. */
  readonly durationCounts = new Uint32Array(latencyBucketsMs.length + 1)
  durationSumMs = 0

  constructor(labels: Labels, load?: LoadOf) {
    this.labels = labels
    this.load = load
  }

  get activity(): number {
    return this.opened
  }

  get open(): boolean {
    return this.#live.size > 0
  }

  get closed(): number {
    return this.completed + this.broken
  }

  /** From the peer, so far. */
  get readBytes(): number {
    return sumOf(this.#live, 'toClientBytes', this.#readBytes)
  }

  /** To the peer, so far. */
  get writtenBytes(): number {
    return sumOf(this.#live, 'toUpstreamBytes', this.#writtenBytes)
  }

  begin(bytes: SpliceBytes): void {
    this.opened++
    this.#live.add(bytes)
  }

  end(bytes: SpliceBytes, complete: boolean, durationMs: number): void {
    this.#live.delete(bytes)
    this.#readBytes += bytes.toClientBytes
    this.#writtenBytes += bytes.toUpstreamBytes
    if (complete) this.completed++
    else this.broken++
    const above = latencyBucketsMs.findIndex((bound) => durationMs <= bound)
    const bucket = above === -1 ? latencyBucketsMs.length : above
    this.durationCounts[bucket] = (this.durationCounts[bucket] as number) + 1
    this.durationSumMs += durationMs
  }
}

/** By the peers whose bytes are passed on. */
export class TcpStatsTable extends SeriesTable<TcpStats> {
  constructor(nowMs: () => number) {
    super((labels, load) => new TcpStats(labels, load), { overflow: 'true' }, nowMs)
  }
}
