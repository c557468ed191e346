/** Rate limits per key: each key may act in a burst, and then at a steady rate. */
import type { Clock } from '../../core/clock.ts'

type Bucket = { tokens: number; updatedMs: number }

/** Above this many keys, those that are full again are forgotten: a full bucket and none are the same. */
const PRUNE_ABOVE = 1024

/** Keys that strangers choose (addresses) must not fill our memory: beyond this the oldest begins anew. */
const MOST_KEYS = 65_536

export class TokenBuckets {
  readonly #clock: Clock
  readonly #burst: number
  readonly #perMs: number
  readonly #buckets = new Map<string, Bucket>()
  #pruneAbove = PRUNE_ABOVE

  constructor(options: { readonly clock: Clock; readonly burst: number; readonly perMinute: number }) {
    this.#clock = options.clock
    this.#burst = options.burst
    this.#perMs = options.perMinute / 60_000
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#buckets.size
  }

  /** Whether one token of the key's is left; takes none. */
  has(key: string): boolean {
    const bucket = this.#buckets.get(key)
    return bucket === undefined || this.#level(bucket, this.#clock.monotonicMs()) >= 1
  }

  /** Takes one token of the key's; false if none is left. */
  take(key: string): boolean {
    const nowMs = this.#clock.monotonicMs()
    const bucket = this.#buckets.get(key) ?? { tokens: this.#burst, updatedMs: nowMs }
    bucket.tokens = this.#level(bucket, nowMs)
    bucket.updatedMs = nowMs
    const allowed = bucket.tokens >= 1
    if (allowed) bucket.tokens -= 1
    this.#buckets.set(key, bucket)
    if (this.#buckets.size > this.#pruneAbove) this.#prune(nowMs)
    if (this.#buckets.size > MOST_KEYS) this.#buckets.delete(this.#buckets.keys().next().value as string)
    return allowed
  }

  #level(bucket: Bucket, nowMs: number): number {
    return Math.min(this.#burst, bucket.tokens + (nowMs - bucket.updatedMs) * this.#perMs)
  }

  #prune(nowMs: number): void {
    for (const [key, bucket] of this.#buckets) {
      if (this.#level(bucket, nowMs) >= this.#burst) this.#buckets.delete(key)
    }
    // Doubling keeps the cost per call constant while many keys are busy at once.
    this.#pruneAbove = Math.max(PRUNE_ABOVE, this.#buckets.size * 2)
  }
}
