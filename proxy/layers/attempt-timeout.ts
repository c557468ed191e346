/** Gives up on one attempt, so that another one can be made. Absent from a route without such a timeout. */
import type { Clock, Timer } from '../../core/clock.ts'
import { type Exchange, handle, type Receiver } from '../exchange.ts'
import { FirstOutcome } from '../first-outcome.ts'
import type { Layer } from '../layer.ts'
import { UpstreamFailure } from '../upstream-failure.ts'

export type AttemptTimeouts = {
  /** Up to the reply's head; undefined: no limit. */
  readonly headMs: number | undefined
  /** Up to its last byte. */
  readonly endMs: number | undefined
}

class Trying extends FirstOutcome {
  readonly #clock: Clock
  readonly #headTimer: Timer | undefined
  readonly #endTimer: Timer | undefined

  constructor(x: Exchange, receiver: Receiver, { headMs, endMs }: AttemptTimeouts, clock: Clock) {
    super(receiver)
    this.#clock = clock
    if (headMs !== undefined)
      this.#headTimer = clock.after(headMs, () => this.#giveUp(x, `no reply within ${headMs} ms`))
    if (endMs !== undefined)
      this.#endTimer = clock.after(endMs, () => this.#giveUp(x, `no complete reply within ${endMs} ms`))
  }

  headArrived(): boolean {
    this.#headTimer?.cancel()
    return this.#endTimer !== undefined
  }

  stopWaiting(): void {
    this.#headTimer?.cancel()
    this.#endTimer?.cancel()
  }

  #giveUp(x: Exchange, message: string): void {
    if (!this.settle()) return
    const failure = new UpstreamFailure('timeout', message, { requestWritten: true })
    x.nowMs = this.#clock.monotonicMs()
    // First: the next attempt puts its own in that place.
    x.cancel?.(failure)
    this.tell(x, failure)
  }
}

/** Placed inside of retries: each attempt has its own time. */
export function attemptTimeout(timeouts: AttemptTimeouts, clock: Clock): Layer {
  return (next) =>
    function limitAttempt(x, receiver) {
      handle(next, x, new Trying(x, receiver, timeouts, clock))
    }
}
