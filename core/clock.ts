/** The time source of every process: code takes a Clock, so that tests own the time. */
import { performance } from 'node:perf_hooks'

/** A pending call that can be called off; cancelling twice, or after it ran, does nothing. */
export interface Timer {
  cancel(): void
}

/** Monotonic time for intervals, wall time for certificates and logs, and delayed calls. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  readonly monotonicMs: () => number
  /** Milliseconds since the Unix epoch; may jump. */
  readonly wallMs: () => number
  /** Calls `run` once after `delayMs`, however long that is. The timer does not keep the process alive. */
  after(delayMs: number, run: () => void): Timer
  /**
   * As `after`, for what a peer has to do by then: `run` is called once the event loop has looked at what came meanwhile.
   * A loop that is late runs its timers first, and would blame the peer for it.
   */
  deadline(delayMs: number, run: () => void): Timer
}

/** Above this, setTimeout fires at once instead of waiting. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

class SystemTimer implements Timer {
  readonly #run: () => void
  #remainingMs: number
  #handle: NodeJS.Timeout | undefined

  constructor(delayMs: number, run: () => void) {
    this.#run = run
    this.#remainingMs = Number.isNaN(delayMs) ? 0 : Math.max(0, delayMs)
    this.#arm()
  }

  cancel(): void {
    clearTimeout(this.#handle)
    this.#handle = undefined
  }

  #arm(): void {
    const stepMs = Math.min(this.#remainingMs, LONGEST_TIMEOUT_MS)
    this.#remainingMs -= stepMs
    this.#handle = setTimeout(() => {
      if (this.#remainingMs > 0) this.#arm()
      else this.#run()
    }, stepMs)
    this.#handle.unref()
  }
}

/** What the loop polls comes between its timers and its immediates. */
class Deadline implements Timer {
  readonly #timer: Timer
  #polled: NodeJS.Immediate | undefined

  constructor(delayMs: number, run: () => void) {
    this.#timer = new SystemTimer(delayMs, () => {
      this.#polled = setImmediate(run)
    })
  }

  cancel(): void {
    this.#timer.cancel()
    clearImmediate(this.#polled)
  }
}

/** The machine's own time. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, run) => new SystemTimer(delayMs, run),
  deadline: (delayMs, run) => new Deadline(delayMs, run),
}
