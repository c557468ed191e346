/** Delays between attempts: exponential with full jitter, so that many clients do not come back at once. */

export class Backoff {
  readonly #baseMs: number
  readonly #maxMs: number
  readonly #random: () => number
  #ceilingMs: number

  /** Delays are drawn from [0, ceiling); the ceiling starts at `baseMs` and doubles up to `maxMs`. */
  constructor(options: { readonly baseMs: number; readonly maxMs: number; readonly random?: () => number }) {
    this.#baseMs = options.baseMs
    this.#maxMs = Math.max(options.baseMs, options.maxMs)
    this.#random = options.random ?? Math.random
    this.#ceilingMs = this.#baseMs
  }

  /** The delay before the next attempt. */
  nextMs(): number {
    const delayMs = this.#random() * this.#ceilingMs
    this.#ceilingMs = Math.min(this.#ceilingMs * 2, this.#maxMs)
    return delayMs
  }

  /** Begins anew, after a success. */
  reset(): void {
    this.#ceilingMs = this.#baseMs
  }
}
