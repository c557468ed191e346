/** Gives up on one attempt, so that another one can be made. Absent from a route without such a timeout. */
import type { Clock, Timer } from '../../core/clock.ts'
import { type Exchange, handle, type Receiver, type Reply } from '../exchange.ts'
import type { Layer } from '../layer.ts'
import { UpstreamFailure } from '../upstream-failure.ts'

export type AttemptTimeouts = {
  /** Up to the reply's head; undefined: no limit. */
  readonly headMs: number | undefined
  /** Up to its last byte. */
  readonly endMs: number | undefined
}

class Trying implements Receiver {
  readonly #receiver: Receiver
  readonly #clock: Clock
  readonly #headTimer: Timer | undefined
  readonly #endTimer: Timer | undefined
  #replied = false
  #over = false

  constructor(x: Exchange, receiver: Receiver, { headMs, endMs }: AttemptTimeouts, clock: Clock) {
    this.#receiver = receiver
    this.#clock = clock
    if (headMs !== undefined)
      this.#headTimer = clock.after(headMs, () => this.#giveUp(x, `no reply within ${headMs} ms`))
    if (endMs !== undefined)
      this.#endTimer = clock.after(endMs, () => this.#giveUp(x, `no complete reply within ${endMs} ms`))
  }

  onReply(x: Exchange, reply: Reply): void {
    if (this.#over) {
      reply.body.fail(new Error('the reply came too late'))
      return
    }
    this.#headTimer?.cancel()
    if (this.#endTimer === undefined || reply.tunnel !== undefined || reply.body.complete) {
      this.#settle()
    } else {
      this.#replied = true
      reply.body.onComplete(() => this.#settle())
    }
    this.#receiver.onReply(x, reply)
  }

  onFailure(x: Exchange, error: unknown): void {
    if (this.#settle()) this.#receiver.onFailure(x, error)
  }

  #giveUp(x: Exchange, message: string): void {
    if (!this.#settle()) return
    const failure = new UpstreamFailure('timeout', message, { requestWritten: true })
    x.nowMs = this.#clock.monotonicMs()
    // First: the next attempt puts its own in that place.
    x.cancel?.(failure)
    if (this.#replied) x.flag = failure.flag
    else this.#receiver.onFailure(x, failure)
  }

  /** Whether this is the first outcome. */
  #settle(): boolean {
    if (this.#over) return false
    this.#over = true
    this.#headTimer?.cancel()
    this.#endTimer?.cancel()
    return true
  }
}

/** Placed inside of retries: each attempt has its own time. */
export function attemptTimeout(timeouts: AttemptTimeouts, clock: Clock): Layer {
  return (next) =>
    function limitAttempt(x, receiver) {
      handle(next, x, new Trying(x, receiver, timeouts, clock))
    }
}
