/** What is done for a rule's requests beside sending them, as data: decoded from RDS, composed into layers by `routed.ts`. */
import type { NamedMatch } from './route-rule.ts'
import type { BudgetSettings } from '../retry/budget.ts'
import type { RetryPolicy } from '../retry/retry-policy.ts'

export type HedgePolicy =
  /** A second request is sent after this time ... */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** ... or after what so many percent of the replies take at most. */
  | { readonly kind: 'percentile'; readonly percentile: number }

/** Percentages from 0 to 100. */
export type FaultPolicy = {
  readonly delay: { readonly delayMs: number; readonly percent: number } | undefined
  /** `grpcStatus`: what a call is told; undefined: what gRPC makes of the status. */
  readonly abort:
    | { readonly status: number; readonly grpcStatus?: number | undefined; readonly percent: number }
    | undefined
  /** Only for requests with all of these. */
  readonly headers: readonly NamedMatch[]
}

export type RoutePolicy = {
  /** Without a byte in either direction. */
  readonly idleTimeoutMs: number | undefined
  /** Of one attempt, up to the reply's head and up to its last byte. */
  readonly attempt: { readonly headMs: number | undefined; readonly endMs: number | undefined }
  readonly retries: RetryPolicy | undefined
  readonly hedging: HedgePolicy | undefined
  /** Undefined: the default one. */
  readonly budget: BudgetSettings | undefined
  readonly fault: FaultPolicy | undefined
}
