/** Gives up on a request that takes too long, however many attempts it makes. Absent from a route without a timeout. */
import type { Clock, Timer } from '../../core/clock.ts'
import { type Exchange, handle, type Receiver } from '../exchange.ts'
import { FirstOutcome } from '../first-outcome.ts'
import type { Layer } from '../layer.ts'
import { UpstreamFailure } from '../upstream-failure.ts'

class Waiting extends FirstOutcome {
  readonly #timer: Timer

  constructor(x: Exchange, receiver: Receiver, timeoutMs: number, clock: Clock) {
    super(receiver)
    this.#timer = clock.after(timeoutMs, () => {
      x.nowMs = clock.monotonicMs()
      this.#giveUp(x, new UpstreamFailure('timeout', `not complete within ${timeoutMs} ms`))
    })
  }

  headArrived(): boolean {
    return true
  }

  stopWaiting(): void {
    this.#timer.cancel()
  }

  #giveUp(x: Exchange, failure: UpstreamFailure): void {
    if (!this.settle()) return
    x.timedOut = true
    this.tell(x, failure)
    x.cancel?.(failure)
  }
}

/** Obeys the timeout that a gRPC call brings along, or that a limit before it has lowered. */
export function callDeadline(clock: Clock): Layer {
  return (next) =>
    function limitCall(x, receiver) {
      const leftMs = x.grpc === undefined ? Number.POSITIVE_INFINITY : x.grpc.deadlineMs - x.nowMs
      if (leftMs === Number.POSITIVE_INFINITY) next(x, receiver)
      else if (leftMs <= 0) throw new UpstreamFailure('timeout', 'the call came with no time left')
      else handle(next, x, new Waiting(x, receiver, Math.ceil(leftMs), clock))
    }
}

/** `timeoutMs` covers all attempts, up to the last byte of the reply. */
export function timeout(timeoutMs: number, clock: Clock): Layer {
  return (next) =>
    function limitTime(x, receiver) {
      x.grpc?.lower(x.nowMs + timeoutMs)
      handle(next, x, new Waiting(x, receiver, timeoutMs, clock))
    }
}
