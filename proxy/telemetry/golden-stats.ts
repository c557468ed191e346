/**
 * The golden metrics of one label set as plain numbers: the hot path adds, prom-client reads at scrape.
 * Names and labels are Linkerd's, so that its dashboards and Flagger's queries work unchanged.
 */

import { latencyBoundsMs as latencyBucketsMs } from '../../api/latency-bounds.ts'
import { isGrpcFailure } from '../grpc/status-codes.ts'
import type { LoadOf } from './load-of.ts'
import type { MessageSizes } from './message-sizes.ts'
import { type Labels, type Series, SeriesTable } from './series-table.ts'

export { latencyBucketsMs }

/** Above every status of HTTP. */
const firstCall = 1000

export class GoldenStats implements Series {
  readonly labels: Labels
  /** undefined: no part of what is reported. */
  readonly load: LoadOf | undefined
  requests = 0
  /** Replies by their `replyKey`. Codes are three digits, so this is bounded. */
  readonly responses = new Map<number, number>()
  /** Not cumulative; the scrape adds them up. One more than bounds, for what is above the last. */
  readonly latencyCounts = new Uint32Array(latencyBucketsMs.length + 1)
  latencySumMs = 0
  latencyCount = 0
  /** Attempts beyond the first. */
  retries = 0
  /** undefined: nobody asks for them. */
  sizes: MessageSizes | undefined = undefined
  readonly open = false

  constructor(labels: Labels, load?: LoadOf) {
    this.labels = labels
    this.load = load
  }

  get activity(): number {
    return this.requests
  }

  /** Counts one exchange that was answered after `attempts`, by its `replyKey`. */
  count(key: number, latencyMs: number, attempts: number): void {
    this.begin(attempts)
    this.response(key, latencyMs)
  }

  /** Counts one exchange whose `response` is counted later. */
  begin(attempts: number): void {
    this.requests++
    if (attempts > 1) this.retries += attempts - 1
  }

  /** Counts one reply, by its `replyKey` and the time to its head. */
  response(key: number, latencyMs: number): void {
    this.responses.set(key, (this.responses.get(key) ?? 0) + 1)
    let bucket = 0
    while (bucket < latencyBucketsMs.length && latencyMs > (latencyBucketsMs[bucket] as number)) bucket++
    this.latencyCounts[bucket] = (this.latencyCounts[bucket] as number) + 1
    this.latencySumMs += latencyMs
    this.latencyCount++
  }
}

/** A status, and for a gRPC call its own as well, in one number: HTTP's is its own key. */
export function replyKey(status: number, grpcStatus: number | undefined): number {
  return grpcStatus === undefined ? status : status + firstCall * (grpcStatus + 1)
}

/** What a `replyKey` stands for, and whether that is a failure: HTTP's own rule, or Linkerd's for calls. */
export function replyOf(key: number): {
  readonly status: number
  readonly grpcStatus: number | undefined
  readonly failed: boolean
} {
  if (key < firstCall) return { status: key, grpcStatus: undefined, failed: key >= 500 }
  const grpcStatus = Math.floor(key / firstCall) - 1
  return { status: key % firstCall, grpcStatus, failed: isGrpcFailure(grpcStatus) }
}

/** By whom exchanges came from or went to. */
export class GoldenStatsTable extends SeriesTable<GoldenStats> {
  constructor(nowMs: () => number) {
    super((labels, load) => new GoldenStats(labels, load), { direction: 'outbound', overflow: 'true' }, nowMs)
  }
}
