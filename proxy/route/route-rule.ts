/** What a route matches and does, as data: decoded from RDS, compiled by `route-table.ts`. */
import type { RateLimitPolicy } from '../rate-limit/rate-limit-policy.ts'
import type { HashInput } from './hash-input.ts'
import type { RoutePolicy } from './route-policy.ts'

/** `pathPrefix` matches whole path elements (Gateway API's PathPrefix); `prefix` matches bytes (Envoy's prefix). */
export type PathMatch =
  | { readonly kind: 'exact' | 'prefix' | 'pathPrefix'; readonly value: string }
  | { readonly kind: 'regex'; readonly value: string }

export type ValueMatch =
  | { readonly kind: 'exact' | 'prefix' | 'suffix' | 'contains' | 'regex'; readonly value: string }
  | { readonly kind: 'present' }

/** One condition on a header (`name` in lower case; `:method` for the method) or on a query parameter. */
export type NamedMatch = { readonly name: string; readonly match: ValueMatch; readonly invert: boolean }

export type RouteMatch = {
  readonly path: PathMatch
  readonly headers: readonly NamedMatch[]
  readonly query: readonly NamedMatch[]
  /** The share of the requests that it may match, from 0 to 1; undefined: all. */
  readonly share?: number | undefined
}

/**
 * One change to the headers of a message; they are made in their order. `name` is in lower case where it is looked for,
 * and as it is written where it is added.
 */
export type HeaderEdit =
  | { readonly kind: 'remove'; readonly name: string }
  | {
      readonly kind: 'set' | 'setIfPresent' | 'add' | 'addIfAbsent'
      readonly name: string
      readonly value: string
    }

/**
 * What becomes of a path; the query stays. `elements`: the matched prefix is replaced by another, slashes neither lost
 * nor doubled (Gateway API); `bytes`: as many bytes as were matched are (Envoy).
 */
export type PathRewrite =
  | { readonly kind: 'full'; readonly value: string }
  | { readonly kind: 'elements' | 'bytes'; readonly matched: string; readonly value: string }

/** A copy of some of the requests, whose reply nobody waits for. */
export type Mirror = {
  readonly cluster: string
  /** Of the requests, 0 to 1. */
  readonly share: number
}

/** What is changed on the way. */
export type RouteFilters = {
  readonly requestHeaders: readonly HeaderEdit[]
  readonly responseHeaders: readonly HeaderEdit[]
  /** Sent as Host. */
  readonly host: string | undefined
  readonly path: PathRewrite | undefined
  readonly mirrors: readonly Mirror[]
}

/** Of a backend alone: applied once it is chosen. */
export type BackendFilters = Pick<RouteFilters, 'requestHeaders' | 'responseHeaders' | 'host'>

/** Keeps a client with the endpoint that it met first, as the client itself tells in a cookie or a header. */
export type SessionRule = {
  readonly kind: 'cookie' | 'header'
  readonly name: string
  /** A cookie's Path; unused for headers. */
  readonly path: string
  /** A cookie's Max-Age; undefined: until the client forgets it. */
  readonly maxAgeMs: number | undefined
  /** How long a session lasts at most, and without a request. */
  readonly absoluteTimeoutMs: number | undefined
  readonly idleTimeoutMs: number | undefined
}

/** `cluster` is a cluster's name; weights are relative integers, zero gets nothing. */
export type WeightedCluster = {
  readonly cluster: string
  readonly weight: number
  readonly filters?: BackendFilters | undefined
}

export type Redirect = {
  /** Undefined: as the request. */
  readonly scheme: 'http' | 'https' | undefined
  readonly host: string | undefined
  readonly port: number | undefined
  readonly path: PathRewrite | undefined
  readonly dropQuery: boolean
  readonly status: 301 | 302 | 303 | 307 | 308
}

export type RouteAction =
  | {
      readonly kind: 'forward'
      readonly clusters: readonly WeightedCluster[]
      /** A backend without endpoints gives its share to the others, instead of failing it. */
      readonly sharesMove?: boolean
    }
  | { readonly kind: 'redirect'; readonly redirect: Redirect }
  | { readonly kind: 'respond'; readonly status: number; readonly body: string }

/** Rules with a limit of the same `id` share its bucket. */
export type RuleLimit = { readonly id: string; readonly policy: RateLimitPolicy }

export type RouteRule = {
  /** Shows in metrics, the access log and traces. */
  readonly name: string
  readonly match: RouteMatch
  readonly action: RouteAction
  /** For the client's request and all attempts at it, up to the reply's last byte; undefined: none. */
  readonly timeoutMs: number | undefined
  readonly filters?: RouteFilters | undefined
  readonly session?: SessionRule | undefined
  /** What keeps requests together at a hashing balancer, the first that a request has. */
  readonly hash?: readonly HashInput[] | undefined
  /** Left out: nothing is done beside what is safe for every request. */
  readonly policy?: RoutePolicy | undefined
  /** Each of them has to let a request pass; only bootstrap files have them here. */
  readonly rateLimits?: readonly RuleLimit[]
}

/** Hosts a rule list applies to: exact, `*`, `*.suffix`. A destination from the control plane has one, `['*']`. */
export type VirtualHostRules = { readonly domains: readonly string[]; readonly rules: readonly RouteRule[] }
