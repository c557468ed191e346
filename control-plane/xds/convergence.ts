/** How long a change takes to be in force at one client: from the provider's telling of it to the client's acceptance. */
export class Convergence {
  readonly #nowMs: () => number
  readonly #onConverged: (elapsedMs: number) => void
  /** Of the oldest change that the client has not taken yet. */
  #sinceMs: number | undefined
  /** Responses that were not answered yet. */
  #unanswered = 0

  constructor(nowMs: () => number, onConverged: (elapsedMs: number) => void) {
    this.#nowMs = nowMs
    this.#onConverged = onConverged
  }

  changed(sinceMs: number | undefined): void {
    this.#sinceMs ??= sinceMs
  }

  wrote(): void {
    this.#unanswered++
  }

  /** What a change leaves as it is needs no answer, and does not count. */
  flushed(blocked: boolean): void {
    if (!blocked && this.#unanswered === 0) this.#sinceMs = undefined
  }

  answered(accepted: boolean): void {
    this.#unanswered = Math.max(0, this.#unanswered - 1)
    if (this.#unanswered > 0 || this.#sinceMs === undefined) return
    if (accepted) this.#onConverged(this.#nowMs() - this.#sinceMs)
    this.#sinceMs = undefined
  }
}
