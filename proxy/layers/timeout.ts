/** Gives up on a request that takes too long, however many attempts it makes. Absent from a route without a timeout. */
import type { Clock, Timer } from '../../core/clock.ts'
import { type Exchange, handle, type Receiver, type Reply } from '../exchange.ts'
import type { Layer } from '../layer.ts'
import { UpstreamFailure } from '../upstream-failure.ts'

class Waiting implements Receiver {
  readonly #receiver: Receiver
  readonly #timer: Timer
  #over = false
  /** The head has gone to the client. */
  #replied = false

  constructor(x: Exchange, receiver: Receiver, timeoutMs: number, clock: Clock) {
    this.#receiver = receiver
    this.#timer = clock.after(timeoutMs, () => {
      x.nowMs = clock.monotonicMs()
      this.#giveUp(x, new UpstreamFailure('timeout', `not complete within ${timeoutMs} ms`))
    })
  }

  onReply(x: Exchange, reply: Reply): void {
    if (this.#over) {
      reply.body.fail(new Error('the reply came too late'))
      return
    }
    // A tunnel lasts as long as its two ends like.
    if (reply.tunnel !== undefined || reply.body.complete) {
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

  #giveUp(x: Exchange, failure: UpstreamFailure): void {
    if (!this.#settle()) return
    x.timedOut = true
    if (this.#replied) x.flag = failure.flag
    else this.#receiver.onFailure(x, failure)
    x.cancel?.(failure)
  }

  /** Whether this is the first outcome. */
  #settle(): boolean {
    if (this.#over) return false
    this.#over = true
    this.#timer.cancel()
    return true
  }
}

/** `timeoutMs` covers all attempts, up to the last byte of the reply. */
export function timeout(timeoutMs: number, clock: Clock): Layer {
  return (next) =>
    function limitTime(x, receiver) {
      handle(next, x, new Waiting(x, receiver, timeoutMs, clock))
    }
}
