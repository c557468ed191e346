/** Keeps retries a small share of the traffic, so that they cannot turn a fault into a storm. */

export type BudgetSettings = {
  /** Retries allowed per request. */
  readonly ratio: number
  /** Allowed besides, for quiet times. */
  readonly minPerSecond: number
  /** For how long what is not used of it is kept. */
  readonly ttlMs: number
}

/** Linkerd's. */
export const defaultBudget: BudgetSettings = { ratio: 0.2, minPerSecond: 10, ttlMs: 10_000 }
/** With nothing for quiet times a burst of failures needs some room, too. */
const leastCapacity = 10

function capacityOf({ minPerSecond, ttlMs }: BudgetSettings): number {
  return Math.max(leastCapacity, (minPerSecond * ttlMs) / 1000)
}

export class RetryBudget {
  readonly #nowMs: () => number
  #settings: BudgetSettings
  #capacity: number
  #tokens: number
  #refilledMs: number

  constructor(nowMs: () => number, settings: BudgetSettings = defaultBudget) {
    this.#nowMs = nowMs
    this.#settings = settings
    this.#capacity = capacityOf(settings)
    // A second's worth: whoever restarts in the middle of a storm must not add to it.
    this.#tokens = Math.min(settings.minPerSecond, this.#capacity)
    this.#refilledMs = nowMs()
  }

  /** What is left stays, so that a change of configuration is no second beginning. */
  configure(settings: BudgetSettings): void {
    this.#settings = settings
    this.#capacity = capacityOf(settings)
    this.#tokens = Math.min(this.#tokens, this.#capacity)
  }

  /** Counts one first attempt. */
  deposit(): void {
    this.#tokens = Math.min(this.#tokens + this.#settings.ratio, this.#capacity)
  }

  /** Takes one retry, or says that the budget is used up. */
  withdraw(): boolean {
    const now = this.#nowMs()
    const earned = ((now - this.#refilledMs) / 1000) * this.#settings.minPerSecond
    this.#refilledMs = now
    this.#tokens = Math.min(this.#tokens + earned, this.#capacity)
    // Five fifths are one, also in floating point.
    if (this.#tokens < 1 - 1e-6) return false
    this.#tokens = Math.max(0, this.#tokens - 1)
    return true
  }
}
