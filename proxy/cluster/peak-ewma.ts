/**
 * Peak-sensitive exponentially weighted moving average of a latency: jumps up at once, comes down over `decayMs`.
 * After Finagle's and Linkerd's load metric of the same name.
 */
export class PeakEwma {
  /** May change while it is in use. */
  decayMs: number
  /** 0 until something is known, so that a new endpoint is tried at once. */
  #estimateMs = 0
  #updatedMs: number
  #state: 'new' | 'assumed' | 'observed' = 'new'

  constructor(nowMs: number, decayMs: number) {
    this.decayMs = decayMs
    this.#updatedMs = nowMs
  }

  /** Its first request is on its way: until that tells more, `latencyMs` holds others off. */
  assume(latencyMs: number, nowMs: number): void {
    if (this.#state !== 'new') return
    this.#state = 'assumed'
    this.#estimateMs = latencyMs
    this.#updatedMs = nowMs
  }

  /** Takes one observed latency. */
  observe(latencyMs: number, nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#updatedMs)
    this.#updatedMs = nowMs
    if (latencyMs > this.#estimateMs || this.#state !== 'observed') {
      this.#state = 'observed'
      this.#estimateMs = latencyMs
      return
    }
    const keep = decayed(elapsedMs / this.decayMs)
    this.#estimateMs = this.#estimateMs * keep + latencyMs * (1 - keep)
  }

  /** The estimate at `nowMs`; decays towards zero while nothing is observed, so that a slow endpoint is tried again. */
  valueMs(nowMs: number): number {
    const elapsedMs = nowMs - this.#updatedMs
    return elapsedMs <= 0 ? this.#estimateMs : this.#estimateMs * decayed(elapsedMs / this.decayMs)
  }
}

/** exp(-x), without its price for the short times of a busy endpoint; exact to 2e-7. */
function decayed(x: number): number {
  return x < 0.01 ? 1 - x + (x * x) / 2 : Math.exp(-x)
}
