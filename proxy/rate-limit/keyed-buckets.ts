/**
 * A bucket for each value of a key. Values come from requests, so their number is bounded: the one unused longest goes,
 * and comes back full, which errs to the side of the client.
 */
import { TokenBucket, type TokenBucketSettings } from './token-bucket.ts'

/** About 1 MB at worst. */
const maxBuckets = 10_000

export class KeyedBuckets {
  readonly #settings: TokenBucketSettings
  readonly #max: number
  /** In the order of their last use. */
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(settings: TokenBucketSettings, max = maxBuckets) {
    this.#settings = settings
    this.#max = max
  }

  get size(): number {
    return this.#buckets.size
  }

  /** As `TokenBucket.take`, for this key. */
  take(key: string, nowMs: number): number {
    let bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      bucket = new TokenBucket(this.#settings, nowMs)
      if (this.#buckets.size >= this.#max) this.#dropOldest()
    } else {
      this.#buckets.delete(key)
    }
    this.#buckets.set(key, bucket)
    return bucket.take(nowMs)
  }

  #dropOldest(): void {
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest)
      return
    }
  }
}
