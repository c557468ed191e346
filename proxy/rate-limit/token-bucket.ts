/** A rate with room for bursts: tokens come in evenly, each request takes one. */

export type TokenBucketSettings = {
  /** What the bucket holds at most, and at the beginning. */
  readonly burst: number
  readonly perSecond: number
}

export class TokenBucket {
  readonly #settings: TokenBucketSettings
  #tokens: number
  #filledMs: number

  constructor(settings: TokenBucketSettings, nowMs: number) {
    this.#settings = settings
    this.#tokens = settings.burst
    this.#filledMs = nowMs
  }

  /** Takes a token; 0, or how many milliseconds it takes until there is one. */
  take(nowMs: number): number {
    const { burst, perSecond } = this.#settings
    const earned = (Math.max(0, nowMs - this.#filledMs) * perSecond) / 1000
    this.#tokens = Math.min(burst, this.#tokens + earned)
    this.#filledMs = nowMs
    if (this.#tokens >= 1) {
      this.#tokens -= 1
      return 0
    }
    return ((1 - this.#tokens) * 1000) / perSecond
  }
}
