/** What a route's owner asked to be sent again, and whether an outcome is of that kind. Worked out once per rule. */
import type { HeaderList } from '../header-list.ts'
import type { UpstreamFailureKind } from '../upstream-failure.ts'

/** Envoy's words, the gRPC ones for replies that carry a grpc-status in their head. */
export const retryConditions = [
  '5xx',
  'gateway-error',
  'reset',
  'reset-before-request',
  'connect-failure',
  'refused-stream',
  'retriable-4xx',
  'retriable-status-codes',
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
] as const
export type RetryCondition = (typeof retryConditions)[number]

/** Why an attempt was followed by another one; `stale` and `unwritten` are what is sent again unasked. */
export type RetryReason = RetryCondition | 'attempt-timeout' | 'stale' | 'unwritten' | 'hedge'

export type RetryPolicy = {
  readonly conditions: readonly RetryCondition[]
  /** For `retriable-status-codes`. */
  readonly statusCodes: readonly number[]
  /** Undefined: every method. */
  readonly methods: readonly string[] | undefined
  /** Attempts after the first one. */
  readonly limit: number
  readonly backoff: {
    /** What is never fallen short of; jitter comes on top. */
    readonly minMs: number
    readonly baseMs: number
    readonly maxMs: number
    /** A Retry-After up to this is waited out; undefined: it is not looked at. */
    readonly retryAfterMaxMs: number | undefined
  }
}

const grpcCodes: Partial<Record<RetryCondition, string>> = {
  cancelled: '1',
  'deadline-exceeded': '4',
  'resource-exhausted': '8',
  internal: '13',
  unavailable: '14',
}

/** The reply statuses that a condition names. */
function statusesOf(condition: RetryCondition, policy: RetryPolicy): readonly number[] {
  switch (condition) {
    case '5xx':
      return Array.from({ length: 100 }, (_, i) => 500 + i)
    case 'gateway-error':
      return [502, 503, 504]
    case 'retriable-4xx':
      return [409]
    case 'retriable-status-codes':
      return policy.statusCodes
    default:
      return []
  }
}

export class RetryRules {
  readonly policy: RetryPolicy
  readonly #ofStatus = new Map<number, RetryReason>()
  readonly #ofGrpcStatus = new Map<string, RetryReason>()
  readonly #connecting: RetryReason | undefined
  readonly #breaking: RetryReason | undefined
  readonly #refused: RetryReason | undefined

  constructor(policy: RetryPolicy) {
    this.policy = policy
    const asked = new Set(policy.conditions)
    for (const condition of asked) {
      for (const status of statusesOf(condition, policy))
        if (!this.#ofStatus.has(status)) this.#ofStatus.set(status, condition)
      const code = grpcCodes[condition]
      if (code !== undefined) this.#ofGrpcStatus.set(code, condition)
    }
    // As Envoy has it, no reply at all is among what these two mean.
    const anyFailure = asked.has('5xx') || asked.has('gateway-error')
    this.#breaking = anyFailure || asked.has('reset') ? 'reset' : undefined
    const connects =
      anyFailure || asked.has('reset') || asked.has('connect-failure') || asked.has('reset-before-request')
    this.#connecting = connects ? 'connect-failure' : undefined
    this.#refused = asked.has('refused-stream') ? 'refused-stream' : this.#breaking
  }

  forMethod(method: string): boolean {
    return this.policy.methods === undefined || this.policy.methods.includes(method)
  }

  /** Why a reply with this status and head is to be asked for again; undefined: it is not. */
  ofReply(status: number, headers: HeaderList): RetryReason | undefined {
    const reason = this.#ofStatus.get(status)
    if (reason !== undefined || this.#ofGrpcStatus.size === 0) return reason
    const grpcStatus = headers.get('grpc-status')
    return grpcStatus === undefined ? undefined : this.#ofGrpcStatus.get(grpcStatus)
  }

  /** The same where there is no reply. */
  ofFailure(kind: UpstreamFailureKind): RetryReason | undefined {
    switch (kind) {
      case 'connect':
      case 'connect-timeout':
      case 'tls':
        return this.#connecting
      case 'refused':
        return this.#refused
      case 'reset':
      case 'malformed':
        return this.#breaking
      case 'timeout':
        return this.#breaking === undefined ? undefined : 'attempt-timeout'
      case 'no-tunnel':
      case 'http1-required':
      case 'no-endpoint':
      case 'overflow':
      case 'cancelled':
        return undefined
    }
  }
}
