/**
 * Peak-sensitive exponentially weighted moving average of a latency: jumps up at once, comes down over `decayMs`.
 * After Finagle's and Linkerd's load metric of the same name.
 */

/** Assumed of an endpoint that has not answered yet. */
export const defaultRttMs = 30
export const decayMs = 10_000

export class PeakEwma {
  #estimateMs = defaultRttMs
  #updatedMs: number

  constructor(nowMs: number) {
    this.#updatedMs = nowMs
  }

  /** Takes one observed latency. */
  observe(latencyMs: number, nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#updatedMs)
    this.#updatedMs = nowMs
    if (latencyMs > this.#estimateMs) {
      this.#estimateMs = latencyMs
      return
    }
    const keep = Math.exp(-elapsedMs / decayMs)
    this.#estimateMs = this.#estimateMs * keep + latencyMs * (1 - keep)
  }

  /** The estimate at `nowMs`; decays towards zero while nothing is observed, so that a slow endpoint is tried again. */
  valueMs(nowMs: number): number {
    const elapsedMs = nowMs - this.#updatedMs
    return elapsedMs <= 0 ? this.#estimateMs : this.#estimateMs * Math.exp(-elapsedMs / decayMs)
  }
}
