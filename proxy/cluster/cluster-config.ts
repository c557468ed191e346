/** A cluster and its endpoints, as data: decoded from CDS and EDS. */
import type { PortRange } from '../../core/port-ranges.ts'
import type { AccessRules } from '../authz/access-rules.ts'
import type { RateLimitPolicy } from '../rate-limit/rate-limit-policy.ts'

/** The cluster name a route uses for a backend that does not exist: its share of requests gets 500. */
export const invalidBackendCluster = 'weft:invalid-backend'

export type BalancingAlgorithm =
  | { readonly kind: 'peak-ewma'; readonly decayMs: number; readonly defaultLatencyMs: number }
  | { readonly kind: 'least-request'; readonly choices: number }
  | { readonly kind: 'round-robin' }
  | { readonly kind: 'random' }
  | { readonly kind: 'ring-hash'; readonly minRingSize: number; readonly maxRingSize: number }
  | { readonly kind: 'maglev'; readonly tableSize: number }

export type SlowStart = {
  readonly windowMs: number
  readonly minWeightPercent: number
  readonly aggression: number
}

export type Balancing = {
  readonly algorithm: BalancingAlgorithm
  /** Endpoints that joined, or came back, get their full share only after a while. */
  readonly slowStart: SlowStart | undefined
  /** `hints`: endpoints that are meant for our zone, when all of them say for which; `same-zone`: those in it. */
  readonly zonePreference: 'hints' | 'same-zone' | 'disabled'
}

/** Power of two choices on peak EWMA, over 10 s and from 30 ms on, as Finagle and Linkerd have it. */
export const defaultBalancing: Balancing = {
  algorithm: { kind: 'peak-ewma', decayMs: 10_000, defaultLatencyMs: 30 },
  slowStart: undefined,
  zonePreference: 'hints',
}

/** What is open or in flight towards all endpoints together. */
export type ClusterLimits = {
  readonly maxConnections: number
  /** Requests that wait for a connection. */
  readonly maxPending: number
  readonly maxRequests: number
  readonly maxRetries: number
  /** Takes the place of `maxRetries`: retries in flight against requests in flight, and a floor (Envoy's retry_budget). */
  readonly retryBudget: { readonly percent: number; readonly minConcurrency: number } | undefined
  readonly queueTimeoutMs: number
}

/** A verdict carried out in that share of the cases (Envoy's `enforcing_*`). */
type Enforced = { readonly enforcingPercent: number }

export type OutlierDetection = {
  /** Failures in a row; undefined: not counted. */
  readonly consecutiveFailures: (Enforced & { readonly count: number }) | undefined
  readonly consecutiveGatewayFailures: (Enforced & { readonly count: number }) | undefined
  /** Set: what never reached the application is counted here, and not as the others. */
  readonly consecutiveLocalFailures: (Enforced & { readonly count: number }) | undefined
  /** Below the mean of all endpoints by so many standard deviations. */
  readonly successRate: (Enforced & SuccessSample & { readonly stdevFactor: number }) | undefined
  readonly failurePercentage: (Enforced & SuccessSample & { readonly thresholdPercent: number }) | undefined
  readonly intervalMs: number
  readonly baseEjectionMs: number
  readonly maxEjectionMs: number
  readonly ejectionJitterMs: number
  readonly maxEjectionPercent: number
  /** However small that percentage is of the endpoints there are. */
  readonly alwaysEjectOne: boolean
  /** With a smaller share of endpoints in use, ejections are overlooked. */
  readonly panicPercent: number
}

/** How much has to be seen before anybody is judged. */
export type SuccessSample = { readonly minEndpoints: number; readonly minRequests: number }

export type ClusterConfig = {
  readonly name: string
  readonly connectTimeoutMs: number
  readonly balancing: Balancing
  readonly limits: ClusterLimits | undefined
  readonly outlierDetection: OutlierDetection | undefined
  /** Metric labels of the destination (dst_service, dst_namespace ...); bounded by configuration, never by a request. */
  readonly labels: Readonly<Record<string, string>>
  /** Whether every endpoint must be reached over mesh mTLS, only those marked so, or none. */
  readonly tls: 'always' | 'per-endpoint' | 'never'
  /** Principals that an endpoint may show when it names none itself; empty: any of the trust domain. */
  readonly identities: readonly string[]
  /** How idle connections towards the endpoints are kept. */
  readonly idleTimeoutMs: number
  /** The endpoints speak HTTP/2 only: HTTP/1 requests are translated. Else a request goes on as it came. */
  readonly http2?: boolean
  /** The endpoints speak HTTP/1.1 only: HTTP/2 requests are translated. */
  readonly http1?: boolean
}

export type EndpointConfig = {
  readonly address: string
  readonly port: number
  /** Of the same endpoint, in its other address family; tried when `address` cannot be connected to. */
  readonly otherAddresses: readonly string[]
  readonly weight: number
  readonly zone: string
  /** The zones whose clients it is meant for; empty: nobody has said. */
  readonly forZones: readonly string[]
  /** Reached over mesh mTLS. */
  readonly meshed: boolean
  /** The SPIFFE id that the endpoint must show; undefined for unmeshed ones. */
  readonly identity: string | undefined
  /** Metric labels (dst_pod, dst_deployment, dst_pod_template_hash ...). */
  readonly labels: Readonly<Record<string, string>>
}

/** An endpoint of which nothing but its address is known. */
export function plainEndpoint(address: string, port: number): EndpointConfig {
  return {
    address,
    port,
    otherAddresses: [],
    weight: 1,
    zone: '',
    forZones: [],
    meshed: false,
    identity: undefined,
    labels: {},
  }
}

/** One port of the inbound side. `listen` is undefined in redirected mode, where 4143 serves all ports. */
export type InboundPort = {
  readonly listen: { readonly host: string; readonly port: number } | undefined
  /** Counts where `listen` does: redirected ports are asked at the pod's own addresses. */
  readonly applicationHost: string
  readonly applicationPort: number
  readonly protocol: 'detect' | 'opaque'
  /** The application speaks HTTP/2 only: HTTP/1 requests are translated. Else a request goes on as it came. */
  readonly http2?: boolean
  /** Each of them has to let a request pass. */
  readonly rateLimits?: readonly RateLimitPolicy[]
  /** Who may reach it; undefined: everybody. */
  readonly access?: AccessRules | undefined
}

export type InboundConfig = {
  /** Who may reach the ports that are not among `ports`; undefined: everybody. */
  readonly access?: AccessRules | undefined
  /** Of those that are not among `ports`; undefined: the default ones. */
  readonly opaquePorts?: readonly PortRange[]
  /** Where the sidecar is; undefined: the control plane does not know. */
  readonly zone?: string
  readonly ports: readonly InboundPort[]
}
