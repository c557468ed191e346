/** Gives up on a reply that takes too long. Absent from the chain of a route without a timeout. */
import type { Clock, Timer } from '../../core/clock.ts'
import { type Exchange, handle, type Receiver, type Reply } from '../exchange.ts'
import type { Layer } from '../layer.ts'
import { UpstreamFailure } from '../upstream-failure.ts'

class Waiting implements Receiver {
  readonly #receiver: Receiver
  readonly #timer: Timer
  #over = false

  constructor(x: Exchange, receiver: Receiver, timeoutMs: number, clock: Clock) {
    this.#receiver = receiver
    this.#timer = clock.after(timeoutMs, () => {
      x.nowMs = clock.monotonicMs()
      this.#giveUp(x, new UpstreamFailure('timeout', `no reply within ${timeoutMs} ms`))
    })
  }

  onReply(x: Exchange, reply: Reply): void {
    if (this.#settle()) this.#receiver.onReply(x, reply)
    else reply.body.fail(new Error('the reply came too late'))
  }

  onFailure(x: Exchange, error: unknown): void {
    if (this.#settle()) this.#receiver.onFailure(x, error)
  }

  #giveUp(x: Exchange, failure: UpstreamFailure): void {
    if (!this.#settle()) return
    x.timedOut = true
    this.#receiver.onFailure(x, failure)
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

/** `timeoutMs` covers all attempts, up to the reply's head. */
export function timeout(timeoutMs: number, clock: Clock): Layer {
  return (next) =>
    function limitTime(x, receiver) {
      handle(next, x, new Waiting(x, receiver, timeoutMs, clock))
    }
}
