/** Sends an exchange again: where that is safe for any application, and else as the route's owner asked. */
import type { Clock } from '../../core/clock.ts'
import { type Exchange, handle, type Handler, type Receiver, type Reply } from '../exchange.ts'
import type { Layer } from '../layer.ts'
import type { DestinationRetries } from '../retry/destination-retries.ts'
import { discardReply } from '../retry/discard-reply.ts'
import type { RetryReason, RetryRules } from '../retry/retry-policy.ts'
import { isIdempotent } from '../retry/safe-replay.ts'
import { UpstreamFailure } from '../upstream-failure.ts'

class SafelyRetrying implements Receiver {
  readonly #receiver: Receiver
  readonly #next: Handler
  readonly #retries: DestinationRetries

  constructor(receiver: Receiver, next: Handler, retries: DestinationRetries) {
    this.#receiver = receiver
    this.#next = next
    this.#retries = retries
  }

  onReply(x: Exchange, reply: Reply): void {
    this.#receiver.onReply(x, reply)
  }

  onFailure(x: Exchange, error: unknown): void {
    const again =
      error instanceof UpstreamFailure && !x.aborted && !x.timedOut && this.#retries.takeSafe(x, error)
    if (again) handle(this.#next, x, this)
    else this.#receiver.onFailure(x, error)
  }
}

/** What is safe and no more. Placed around the balancer, so that each attempt picks anew. */
export function retry(retries: DestinationRetries): Layer {
  return (next) =>
    function retryIfSafe(x, receiver) {
      retries.budget.deposit()
      if (x.body.inline === undefined && (x.http2 || isIdempotent(x.method))) x.body.keepForReplay()
      handle(next, x, new SafelyRetrying(receiver, next, retries))
    }
}

export type PolicyParts = {
  readonly rules: RetryRules
  readonly retries: DestinationRetries
  readonly clock: Clock
  readonly random: () => number
}

/** Seconds that the upstream asks to wait for; its other form, a date, is left alone as clocks differ. */
function retryAfterMs(reply: Reply): number | undefined {
  const text = reply.headers.get('retry-after')
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) * 1000 : undefined
}

class PolicyRetrying implements Receiver {
  readonly #receiver: Receiver
  readonly #next: Handler
  readonly #parts: PolicyParts
  /** Attempts that the policy, and not safety, was the reason of. */
  #made = 0

  constructor(receiver: Receiver, next: Handler, parts: PolicyParts) {
    this.#receiver = receiver
    this.#next = next
    this.#parts = parts
  }

  onReply(x: Exchange, reply: Reply): void {
    const { rules, retries, clock } = this.#parts
    const reason = rules.ofReply(reply.status, reply.headers)
    if (reason === undefined) {
      if (this.#made > 0) retries.counts.successes++
      this.#receiver.onReply(x, reply)
      return
    }
    const waitMs = this.#backoffMs(reply)
    if (waitMs === undefined || !this.#may(x)) {
      if (x.retryStop === 'limit' && x.attempts > 1) x.flag = 'URX'
      this.#receiver.onReply(x, reply)
      return
    }
    discardReply(x, reply, clock)
    this.#again(x, reason, waitMs)
  }

  onFailure(x: Exchange, error: unknown): void {
    const { rules, retries } = this.#parts
    if (!(error instanceof UpstreamFailure) || x.aborted || x.timedOut) {
      this.#receiver.onFailure(x, error)
    } else if (retries.takeSafe(x, error)) {
      handle(this.#next, x, this)
    } else {
      const reason = x.retryStop === 'budget' ? undefined : rules.ofFailure(error.kind)
      if (reason === undefined || !this.#may(x)) this.#receiver.onFailure(x, error)
      else this.#again(x, reason, this.#backoffMs(undefined) as number)
    }
  }

  /** Whether there may be one more attempt; it is paid for then. */
  #may(x: Exchange): boolean {
    const { rules, retries } = this.#parts
    if (x.interimPassed || x.timedOut || x.aborted) return false
    if (this.#made >= rules.policy.limit) {
      if (rules.policy.limit > 0) retries.counts.overLimit++
      x.retryStop = 'limit'
    } else if (!x.body.isEmpty && !x.body.replayable) {
      retries.counts.bodyTooLarge++
      x.retryStop = 'body'
    } else if (x.cluster?.breaker?.admitsRetry() === false) {
      x.retryStop = 'overflow'
    } else {
      return retries.withdraw(x)
    }
    return false
  }

  /** Full jitter above a floor and under a ceiling that doubles; what the upstream asks for if that is looked at. Undefined: too long. */
  #backoffMs(reply: Reply | undefined): number | undefined {
    const { minMs, baseMs, maxMs, retryAfterMaxMs } = this.#parts.rules.policy.backoff
    const pushback = reply?.headers.get('grpc-retry-pushback-ms')
    // Anything but a number of milliseconds asks for no further attempt.
    if (pushback !== undefined) return /^[0-9]{1,9}$/.test(pushback) ? Number(pushback) : undefined
    const asked = reply === undefined || retryAfterMaxMs === undefined ? undefined : retryAfterMs(reply)
    if (asked !== undefined) return asked <= (retryAfterMaxMs as number) ? asked : undefined
    return minMs + this.#parts.random() * Math.min(baseMs * 2 ** this.#made, maxMs)
  }

  #again(x: Exchange, reason: RetryReason, waitMs: number): void {
    const { clock } = this.#parts
    this.#made++
    x.retryReason = reason
    const timer = clock.after(waitMs, () => {
      x.cancel = undefined
      x.nowMs = clock.monotonicMs()
      handle(this.#next, x, this)
    })
    x.cancel = (cause) => {
      timer.cancel()
      x.cancel = undefined
      this.#receiver.onFailure(x, new UpstreamFailure('cancelled', cause.message, {}, cause))
    }
  }
}

/** What is safe, and what the policy names, at most as often as it says and within the destination's budget. */
export function retryByPolicy(parts: PolicyParts): Layer {
  const { rules, retries } = parts
  const safely = retry(retries)
  return (next) => {
    const ifSafe = safely(next)
    return function retryAsAsked(x, receiver) {
      if (!rules.forMethod(x.method)) {
        ifSafe(x, receiver)
        return
      }
      retries.budget.deposit()
      if (x.body.inline === undefined) x.body.keepForReplay()
      handle(next, x, new PolicyRetrying(receiver, next, parts))
    }
  }
}
