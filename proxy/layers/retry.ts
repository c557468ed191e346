/** Sends an exchange again where that is safe for any application; everything else is opt-in. */
import { type Exchange, type Handler, type Reply } from '../exchange.ts'
import type { Layer } from '../layer.ts'
import { isIdempotent, replayKind } from '../retry/safe-replay.ts'
import type { RetryBudget } from '../retry/budget.ts'
import { UpstreamFailure } from '../upstream-failure.ts'

/** Attempts in all for a request of which nothing was written. */
const maxAttempts = 3

async function retryAfter(next: Handler, x: Exchange, first: unknown, budget: RetryBudget): Promise<Reply> {
  let failure = first
  while (failure instanceof UpstreamFailure && !x.aborted && !x.timedOut) {
    const kind = replayKind(x, failure)
    if (kind === 'no' || x.attempts >= maxAttempts) break
    if (!budget.withdraw()) break
    if (kind === 'stale') x.freshConnection = true
    try {
      return await next(x)
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/** One budget per route; placed around the balancer, so that each attempt picks anew. */
export function retry(budget: RetryBudget): Layer {
  return (next) =>
    async function retryIfSafe(x) {
      budget.deposit()
      if (x.body.inline === undefined && isIdempotent(x.method)) x.body.keepForReplay()
      try {
        return await next(x)
      } catch (error) {
        return retryAfter(next, x, error, budget)
      }
    }
}
