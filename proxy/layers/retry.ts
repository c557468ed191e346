/** Sends an exchange again where that is safe for any application; everything else is opt-in. */
import { type Exchange, handle, type Handler, type Receiver, type Reply } from '../exchange.ts'
import type { Layer } from '../layer.ts'
import { isIdempotent, replayKind } from '../retry/safe-replay.ts'
import type { RetryBudget } from '../retry/budget.ts'
import { UpstreamFailure } from '../upstream-failure.ts'

/** Attempts in all for a request of which nothing was written. */
const maxAttempts = 3

class Retrying implements Receiver {
  readonly #receiver: Receiver
  readonly #next: Handler
  readonly #budget: RetryBudget

  constructor(receiver: Receiver, next: Handler, budget: RetryBudget) {
    this.#receiver = receiver
    this.#next = next
    this.#budget = budget
  }

  onReply(x: Exchange, reply: Reply): void {
    this.#receiver.onReply(x, reply)
  }

  onFailure(x: Exchange, error: unknown): void {
    if (this.#mayRetry(x, error)) handle(this.#next, x, this)
    else this.#receiver.onFailure(x, error)
  }

  #mayRetry(x: Exchange, failure: unknown): boolean {
    if (!(failure instanceof UpstreamFailure) || x.aborted || x.timedOut) return false
    const kind = replayKind(x, failure)
    if (kind === 'no' || x.attempts >= maxAttempts || !this.#budget.withdraw()) return false
    if (kind === 'stale') x.freshConnection = true
    return true
  }
}

/** One budget per route; placed around the balancer, so that each attempt picks anew. */
export function retry(budget: RetryBudget): Layer {
  return (next) =>
    function retryIfSafe(x, receiver) {
      budget.deposit()
      if (x.body.inline === undefined && isIdempotent(x.method)) x.body.keepForReplay()
      handle(next, x, new Retrying(receiver, next, budget))
    }
}
