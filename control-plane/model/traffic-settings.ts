/** How traffic to a Service is to be treated, as a TrafficPolicy or the Service's annotations say; no settings, no section. */
import type { GrpcStatusName } from '../../api/grpc-status.ts'
import type { TextMatch } from './objects.ts'

export type TimeoutSettings = {
  /** For the client's request and all attempts at it, up to the reply's last byte. */
  readonly requestMs: number | undefined
  /** For one attempt, up to the reply's last byte. */
  readonly responseMs: number | undefined
  /** For one attempt, up to the reply's head. */
  readonly perTryMs: number | undefined
  /** Without a byte in either direction. */
  readonly idleMs: number | undefined
}

/** Envoy's names for what may be retried. */
export const retryConditions = [
  '5xx',
  'gateway-error',
  'reset',
  'reset-before-request',
  'connect-failure',
  'refused-stream',
  'retriable-4xx',
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
] as const
export type RetryCondition = (typeof retryConditions)[number]

/** When a second attempt is sent without waiting for the first one's failure. */
export type HedgingSettings =
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** Of the latencies seen, 0 to 100. */
  | { readonly kind: 'percentile'; readonly percentile: number }

export type RetrySettings = {
  readonly conditions: readonly RetryCondition[]
  readonly statusCodes: readonly number[]
  /** Undefined: every method. */
  readonly methods: readonly string[] | undefined
  /** Attempts after the first one. */
  readonly limit: number
  readonly perTryTimeoutMs: number | undefined
  readonly backoff: {
    /** What is never fallen short of; jitter comes on top. */
    readonly minMs: number
    readonly baseMs: number
    readonly maxMs: number
    /** A reply's Retry-After is waited out, up to this; undefined: it is not looked at. */
    readonly retryAfterMaxMs: number | undefined
  }
  readonly budget: { readonly ratioPercent: number; readonly minPerSecond: number; readonly ttlMs: number }
  readonly hedging: HedgingSettings | undefined
}

export type BalancingAlgorithm =
  | { readonly kind: 'peak-ewma'; readonly decayMs: number; readonly defaultLatencyMs: number }
  | { readonly kind: 'least-request'; readonly choices: number }
  | { readonly kind: 'round-robin' }
  | { readonly kind: 'random' }
  | { readonly kind: 'ring-hash'; readonly minRingSize: number; readonly maxRingSize: number }
  | { readonly kind: 'maglev'; readonly tableSize: number }

/** Where a hashing balancer takes its key from; the first that a request has counts. */
export type HashInput =
  | { readonly kind: 'header'; readonly name: string }
  /** With a `ttlMs` (0: for the session) a client without the cookie is given one. */
  | {
      readonly kind: 'cookie'
      readonly name: string
      readonly ttlMs: number | undefined
      readonly path: string | undefined
    }
  | { readonly kind: 'query'; readonly name: string }
  | { readonly kind: 'source-ip' }

export type SlowStartSettings = {
  readonly windowMs: number
  readonly minWeightPercent: number
  /** 1: linear; above, faster at first (Envoy's exponent 1 / aggression). */
  readonly aggression: number
}

/** `hints`: as EndpointSlices say, when all of them do; `same-zone`: the client's own zone first. */
export type ZonePreference = 'hints' | 'same-zone' | 'disabled'

export type BalancerSettings = {
  readonly algorithm: BalancingAlgorithm
  readonly hash: readonly HashInput[]
  readonly slowStart: SlowStartSettings | undefined
  readonly zonePreference: ZonePreference
}

/** Limits of one sidecar towards all endpoints of the Service's port. */
export type ConnectionPoolSettings = {
  readonly maxConnections: number
  /** Requests that wait for a connection; more fail at once. */
  readonly maxPending: number
  readonly maxRequests: number
  readonly maxRetries: number
  readonly queueTimeoutMs: number
}

export type SuccessRateSettings = {
  /** Ejected below this; undefined: below the mean of all endpoints by `stdevFactor` standard deviations. */
  readonly thresholdPercent: number | undefined
  readonly stdevFactor: number
  readonly minRequests: number
  readonly minEndpoints: number
}

export type OutlierDetectionSettings = {
  /** Replies with 5xx, resets and timeouts in a row; undefined: not counted. The same for the other two. */
  readonly consecutiveFailures: number | undefined
  /** 502, 503 and 504 alone. */
  readonly consecutiveGatewayFailures: number | undefined
  /** What never reached the application: connecting, handshakes. */
  readonly consecutiveLocalFailures: number | undefined
  readonly successRate: SuccessRateSettings | undefined
  readonly intervalMs: number
  readonly baseEjectionMs: number
  readonly maxEjectionMs: number
  readonly ejectionJitterMs: number
  readonly maxEjectionPercent: number
  /** With a smaller share of endpoints in use, ejections are overlooked. */
  readonly panicPercent: number
}

export type RateLimitSettings = {
  readonly requestsPerSecond: number
  readonly burst: number
  readonly per:
    | { readonly kind: 'total' }
    | { readonly kind: 'principal' }
    | { readonly kind: 'header'; readonly name: string }
}

export type FaultSettings = {
  readonly delay: { readonly delayMs: number; readonly percent: number } | undefined
  /** What is answered: a status of HTTP, or of gRPC. */
  readonly abort:
    | { readonly status: number; readonly percent: number }
    | { readonly grpcStatus: GrpcStatusName; readonly percent: number }
    | undefined
  /** Only for requests with all of these. */
  readonly headers: readonly TextMatch[]
}

export type TrafficSettings = {
  readonly timeouts: TimeoutSettings | undefined
  readonly retries: RetrySettings | undefined
  readonly balancer: BalancerSettings | undefined
  readonly connectionPool: ConnectionPoolSettings | undefined
  readonly outlierDetection: OutlierDetectionSettings | undefined
  readonly rateLimit: RateLimitSettings | undefined
  readonly fault: FaultSettings | undefined
}

export const noTrafficSettings: TrafficSettings = {
  timeouts: undefined,
  retries: undefined,
  balancer: undefined,
  connectionPool: undefined,
  outlierDetection: undefined,
  rateLimit: undefined,
  fault: undefined,
}

export const defaultRetries: RetrySettings = {
  conditions: [],
  statusCodes: [],
  methods: undefined,
  limit: 1,
  perTryTimeoutMs: undefined,
  backoff: { minMs: 0, baseMs: 25, maxMs: 250, retryAfterMaxMs: undefined },
  budget: { ratioPercent: 20, minPerSecond: 10, ttlMs: 10_000 },
  hedging: undefined,
}

export const defaultBalancer: BalancerSettings = {
  algorithm: { kind: 'peak-ewma', decayMs: 10_000, defaultLatencyMs: 30 },
  hash: [],
  slowStart: undefined,
  zonePreference: 'hints',
}

/** Envoy's limits; the queue is ours. In force where a Service has the section, none without it. */
export const defaultConnectionPool: ConnectionPoolSettings = {
  maxConnections: 1024,
  maxPending: 1024,
  maxRequests: 1024,
  maxRetries: 3,
  queueTimeoutMs: 1_000,
}

/** Envoy's defaults. */
export const defaultOutlierDetection: OutlierDetectionSettings = {
  consecutiveFailures: 5,
  consecutiveGatewayFailures: undefined,
  consecutiveLocalFailures: undefined,
  successRate: undefined,
  intervalMs: 10_000,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  ejectionJitterMs: 3_000,
  maxEjectionPercent: 10,
  panicPercent: 50,
}

export const defaultSuccessRate: SuccessRateSettings = {
  thresholdPercent: undefined,
  stdevFactor: 1.9,
  minRequests: 100,
  minEndpoints: 5,
}

/** Section by section: what `stronger` says at all, it says alone. */
export function overlay(stronger: TrafficSettings, weaker: TrafficSettings): TrafficSettings {
  return {
    timeouts: stronger.timeouts ?? weaker.timeouts,
    retries: stronger.retries ?? weaker.retries,
    balancer: stronger.balancer ?? weaker.balancer,
    connectionPool: stronger.connectionPool ?? weaker.connectionPool,
    outlierDetection: stronger.outlierDetection ?? weaker.outlierDetection,
    rateLimit: stronger.rateLimit ?? weaker.rateLimit,
    fault: stronger.fault ?? weaker.fault,
  }
}
