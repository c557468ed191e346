/**
 * Wall times with the resolution of the monotonic clock: the wall clock counts whole milliseconds, in which a span would
 * seem to begin before the one that caused it.
 */
import type { Clock } from '../../core/clock.ts'

/** Enough readings for the wall clock to tick a few times. */
const mostReadings = 50_000
const closeMs = 0.02
/** By how much a reading may be below the truth, with some room for what happens between two readings. */
const tickMs = 1.5

export class WallTimes {
  readonly #clock: Pick<Clock, 'monotonicMs' | 'wallMs'>
  #offsetMs: number

  constructor(clock: Pick<Clock, 'monotonicMs' | 'wallMs'>) {
    this.#clock = clock
    this.#offsetMs = offsetAtTick(clock)
  }

  /** Milliseconds since the epoch, with fractions, of a moment of the monotonic clock. */
  at(monotonicMs: number): number {
    return monotonicMs + this.#offsetMs
  }

  /** Follows a wall clock that was set. Cheap: called for every span. */
  follow(): void {
    const readMs = this.#clock.wallMs() - this.#clock.monotonicMs()
    if (readMs > this.#offsetMs) this.#offsetMs = readMs
    else if (readMs < this.#offsetMs - tickMs) this.#offsetMs = readMs + tickMs / 2
  }
}

/** Right after a tick the wall clock tells the truth, if nothing came between the two readings. */
function offsetAtTick({ wallMs, monotonicMs }: Pick<Clock, 'monotonicMs' | 'wallMs'>): number {
  let lastMs = wallMs()
  for (let i = 0; i < mostReadings; i++) {
    const beforeMs = monotonicMs()
    const nowMs = wallMs()
    const afterMs = monotonicMs()
    if (nowMs !== lastMs && afterMs - beforeMs < closeMs) return nowMs - beforeMs
    lastMs = nowMs
  }
  return lastMs - monotonicMs()
}
