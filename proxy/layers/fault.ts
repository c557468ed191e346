/**
 * Delays or refuses a share of the requests on purpose, to see what becomes of their senders. Delay and abort are drawn
 * apart, as Envoy does. Absent unless asked for.
 */
import type { Clock } from '../../core/clock.ts'
import { errorCodes } from '../../core/error-codes.ts'
import { type Exchange, handle, type Handler, type Receiver } from '../exchange.ts'
import type { Layer } from '../layer.ts'
import { localReply } from '../local-reply.ts'
import type { FaultPolicy } from '../route/route-policy.ts'
import { UpstreamFailure } from '../upstream-failure.ts'

/** Read at scrape. */
export type FaultCounts = { delays: number; aborts: number }

export type FaultParts = {
  readonly policy: Pick<FaultPolicy, 'delay' | 'abort'>
  /** Undefined: every request. */
  readonly matches: ((x: Exchange) => boolean) | undefined
  readonly counts: FaultCounts
  readonly clock: Clock
  readonly random: () => number
}

const { summary, http } = errorCodes.FAULT_INJECTED
const text = `FAULT_INJECTED: ${summary}`

export function fault({ policy, matches, counts, clock, random }: FaultParts): Layer {
  const { delay, abort } = policy
  const drawn = (percent: number): boolean => random() * 100 < percent
  return (next: Handler): Handler => {
    const goOn = (x: Exchange, receiver: Receiver): void => {
      if (abort === undefined || !drawn(abort.percent)) {
        handle(next, x, receiver)
        return
      }
      counts.aborts++
      const { status, grpcStatus } = abort
      receiver.onReply(x, localReply(x, { status, grpcStatus, flag: http.flag, text }))
    }
    const wait = (x: Exchange, receiver: Receiver, delayMs: number): void => {
      counts.delays++
      x.flag = 'DI'
      const timer = clock.after(delayMs, () => {
        x.cancel = undefined
        x.nowMs = clock.monotonicMs()
        goOn(x, receiver)
      })
      x.cancel = (reason) => {
        timer.cancel()
        x.cancel = undefined
        receiver.onFailure(x, new UpstreamFailure('cancelled', reason.message, {}, reason))
      }
    }
    return function injectFault(x, receiver) {
      if (matches !== undefined && !matches(x)) next(x, receiver)
      else if (delay !== undefined && drawn(delay.percent)) wait(x, receiver, delay.delayMs)
      else goOn(x, receiver)
    }
  }
}
