/** Gives up on an exchange on which nothing moves, in either direction. Absent from a route without an idle timeout. */
import type { Clock, Timer } from '../../core/clock.ts'
import { type Exchange, handle, type Receiver } from '../exchange.ts'
import { FirstOutcome } from '../first-outcome.ts'
import type { Layer } from '../layer.ts'
import { UpstreamFailure } from '../upstream-failure.ts'

/** Looked at so often in one idle time: what moves pays nothing, and the end comes at most a quarter late. */
const looks = 4

class Watching extends FirstOutcome {
  readonly #x: Exchange
  readonly #idleMs: number
  readonly #clock: Clock
  #timer: Timer
  #seenBytes = -1
  #quietLooks = 0

  constructor(x: Exchange, receiver: Receiver, idleMs: number, clock: Clock) {
    super(receiver)
    this.#x = x
    this.#idleMs = idleMs
    this.#clock = clock
    this.#timer = clock.after(idleMs / looks, this.#look)
  }

  headArrived(): boolean {
    this.#quietLooks = 0
    return true
  }

  stopWaiting(): void {
    this.#timer.cancel()
  }

  readonly #look = (): void => {
    const bytes = this.#x.body.receivedBytes + (this.reply?.body.receivedBytes ?? 0)
    this.#quietLooks = bytes === this.#seenBytes ? this.#quietLooks + 1 : 0
    this.#seenBytes = bytes
    if (this.#quietLooks >= looks) this.#giveUp()
    else this.#timer = this.#clock.after(this.#idleMs / looks, this.#look)
  }

  #giveUp(): void {
    const x = this.#x
    this.settle()
    x.nowMs = this.#clock.monotonicMs()
    x.timedOut = true
    const failure = new UpstreamFailure('timeout', `nothing moved for ${this.#idleMs} ms`)
    this.tell(x, failure)
    x.cancel?.(failure)
  }
}

export function idleTimeout(idleMs: number, clock: Clock): Layer {
  return (next) =>
    function watchProgress(x, receiver) {
      handle(next, x, new Watching(x, receiver, idleMs, clock))
    }
}
