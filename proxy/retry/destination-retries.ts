/** What the retries to one destination have in common, across its rules and their changes. */
import type { UpstreamFailure } from '../upstream-failure.ts'
import type { Exchange } from '../exchange.ts'
import { type BudgetSettings, defaultBudget, RetryBudget } from './budget.ts'
import { LatencyWindow } from './latency-window.ts'
import { replayKind } from './safe-replay.ts'

/** Read at scrape. */
export type RetryCounts = {
  /** Attempts after the first one. */
  retries: number
  /** Those of them that were sent without waiting for the first one's end. */
  hedges: number
  /** Requests that one of them saved. */
  successes: number
  /** Retries that were not made: too many of this request, of all requests, or a body too large to send again. */
  overLimit: number
  overBudget: number
  bodyTooLarge: number
}

/** Attempts in all for a request of which nothing was written. */
const maxSafeAttempts = 3

export class DestinationRetries {
  readonly budget: RetryBudget
  readonly latencies = new LatencyWindow()
  readonly counts: RetryCounts = {
    retries: 0,
    hedges: 0,
    successes: 0,
    overLimit: 0,
    overBudget: 0,
    bodyTooLarge: 0,
  }

  constructor(nowMs: () => number, budget: BudgetSettings = defaultBudget) {
    this.budget = new RetryBudget(nowMs, budget)
  }

  /** Takes one retry out of the budget, or marks the exchange as one that got none. */
  withdraw(x: Exchange): boolean {
    if (this.budget.withdraw()) {
      this.counts.retries++
      return true
    }
    this.counts.overBudget++
    x.retryStop = 'budget'
    return false
  }

  /** Whether `x` is sent again although nobody asked for retries; what that takes is done. */
  takeSafe(x: Exchange, failure: UpstreamFailure): boolean {
    const kind = replayKind(x, failure)
    if (kind === 'no' || x.attempts >= maxSafeAttempts || !this.withdraw(x)) return false
    x.retryReason = kind
    if (failure.kind === 'reset') x.freshConnection = true
    return true
  }
}
