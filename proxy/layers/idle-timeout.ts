/** Gives up on an exchange on which nothing moves, in either direction. Absent from a route without an idle timeout. */
import type { Clock, Timer } from '../../core/clock.ts'
import { type Exchange, handle, type Receiver, type Reply } from '../exchange.ts'
import type { Layer } from '../layer.ts'
import { UpstreamFailure } from '../upstream-failure.ts'

/** Looked at so often in one idle time: what moves pays nothing, and the end comes at most a quarter late. */
const looks = 4

class Watching implements Receiver {
  readonly #x: Exchange
  readonly #receiver: Receiver
  readonly #idleMs: number
  readonly #clock: Clock
  #reply: Reply | undefined
  #timer: Timer
  #seenBytes = -1
  #quietLooks = 0
  #over = false

  constructor(x: Exchange, receiver: Receiver, idleMs: number, clock: Clock) {
    this.#x = x
    this.#receiver = receiver
    this.#idleMs = idleMs
    this.#clock = clock
    this.#timer = clock.after(idleMs / looks, this.#look)
  }

  onReply(x: Exchange, reply: Reply): void {
    if (this.#over) {
      reply.body.fail(new Error('the reply came too late'))
      return
    }
    // A tunnel has an idle time of its own.
    if (reply.tunnel !== undefined || reply.body.complete) {
      this.#settle()
    } else {
      this.#reply = reply
      this.#quietLooks = 0
      reply.body.onComplete(() => this.#settle())
    }
    this.#receiver.onReply(x, reply)
  }

  onFailure(x: Exchange, error: unknown): void {
    if (this.#settle()) this.#receiver.onFailure(x, error)
  }

  readonly #look = (): void => {
    const bytes = this.#x.body.receivedBytes + (this.#reply?.body.receivedBytes ?? 0)
    this.#quietLooks = bytes === this.#seenBytes ? this.#quietLooks + 1 : 0
    this.#seenBytes = bytes
    if (this.#quietLooks >= looks) this.#giveUp()
    else this.#timer = this.#clock.after(this.#idleMs / looks, this.#look)
  }

  #giveUp(): void {
    const x = this.#x
    this.#settle()
    x.nowMs = this.#clock.monotonicMs()
    x.timedOut = true
    const failure = new UpstreamFailure('timeout', `nothing moved for ${this.#idleMs} ms`)
    if (this.#reply === undefined) this.#receiver.onFailure(x, failure)
    else x.flag = failure.flag
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

export function idleTimeout(idleMs: number, clock: Clock): Layer {
  return (next) =>
    function watchProgress(x, receiver) {
      handle(next, x, new Watching(x, receiver, idleMs, clock))
    }
}
