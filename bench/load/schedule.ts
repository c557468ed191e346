/** When the requests of an open loop are due: evenly spaced, whatever becomes of those before. Pure. */
export class Schedule {
  readonly #startMs: number
  readonly #intervalMs: number
  readonly #count: number
  #next = 0

  constructor(startMs: number, ratePerSecond: number, count: number) {
    this.#startMs = startMs
    this.#intervalMs = 1000 / ratePerSecond
    this.#count = count
  }

  get finished(): boolean {
    return this.#next >= this.#count
  }

  /** When the next request is due, in ms; NaN after the last. */
  get nextDueMs(): number {
    return this.finished ? Number.NaN : this.#startMs + this.#next * this.#intervalMs
  }

  /** Takes one request that is due by `nowMs` and tells when it was; undefined when none is. */
  take(nowMs: number): number | undefined {
    const dueMs = this.nextDueMs
    if (!(dueMs <= nowMs)) return undefined
    this.#next++
    return dueMs
  }
}
