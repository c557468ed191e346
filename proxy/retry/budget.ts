/** Keeps retries a small share of the traffic, so that they cannot turn a fault into a storm. */

/** Retries allowed per request, and a floor for quiet times: Linkerd's defaults. */
export const retryRatio = 0.2
export const minRetriesPerSecond = 10
/** How much unused allowance is kept, in seconds of the floor and of the traffic. */
const windowSeconds = 10

export class RetryBudget {
  readonly #nowMs: () => number
  #tokens: number
  #refilledMs: number

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
    this.#tokens = minRetriesPerSecond
    this.#refilledMs = nowMs()
  }

  /** Counts one first attempt. */
  deposit(): void {
    this.#tokens = Math.min(this.#tokens + retryRatio, minRetriesPerSecond * windowSeconds)
  }

  /** Takes one retry, or says that the budget is used up. */
  withdraw(): boolean {
    const now = this.#nowMs()
    const earned = ((now - this.#refilledMs) / 1000) * minRetriesPerSecond
    this.#refilledMs = now
    this.#tokens = Math.min(this.#tokens + earned, minRetriesPerSecond * windowSeconds)
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
