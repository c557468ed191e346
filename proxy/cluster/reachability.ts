/**
 * Whether an endpoint can be connected to, as far as its last attempts told. One that could not rests for a while, and
 * longer each time: an average of latencies forgets too slowly what the others did, and would send it traffic for that.
 */

export const firstRestMs = 100
export const longestRestMs = 5_000

export class Reachability {
  #restMs = 0
  #failedMs = Number.NEGATIVE_INFINITY
  #untilMs = 0

  /** Nothing should be sent there while others are left. */
  rests(nowMs: number): boolean {
    return nowMs < this.#untilMs
  }

  /** A connection is being opened. After a failure it is the only attempt, until the next rest is over. */
  trying(nowMs: number): void {
    if (this.#restMs > 0) this.#untilMs = nowMs + this.#restMs
  }

  reached(): void {
    this.#restMs = 0
    this.#untilMs = 0
  }

  /** An attempt that began at `startedMs` failed. Those that began before an earlier failure tell nothing new. */
  failed(startedMs: number, nowMs: number): void {
    if (startedMs < this.#failedMs) return
    this.#failedMs = nowMs
    this.#restMs = Math.min(Math.max(firstRestMs, this.#restMs * 2), longestRestMs)
    this.#untilMs = nowMs + this.#restMs
  }
}
