/** Gives up on a reply that takes too long. Absent from the chain of a route without a timeout. */
import type { Clock } from '../../core/clock.ts'
import type { Reply } from '../exchange.ts'
import type { Layer } from '../layer.ts'
import { UpstreamFailure } from '../upstream-failure.ts'

/** `timeoutMs` covers all attempts, up to the reply's head. */
export function timeout(timeoutMs: number, clock: Clock): Layer {
  return (next) =>
    function limitTime(x) {
      return new Promise<Reply>((resolve, reject) => {
        const timer = clock.after(timeoutMs, () => {
          const failure = new UpstreamFailure('timeout', `no reply within ${timeoutMs} ms`)
          x.timedOut = true
          reject(failure)
          x.cancel?.(failure)
        })
        next(x).then(
          (reply) => {
            timer.cancel()
            resolve(reply)
          },
          (error: unknown) => {
            timer.cancel()
            reject(error instanceof Error ? error : new Error(String(error)))
          },
        )
      })
    }
}
