/** What a route matches and does, as data: decoded from RDS, compiled by `route-table.ts`. */

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

/** `cluster` is a cluster's name; weights are relative integers, zero gets nothing. */
export type WeightedCluster = { readonly cluster: string; readonly weight: number }

export type RouteAction =
  | { readonly kind: 'forward'; readonly clusters: readonly WeightedCluster[] }
  | { readonly kind: 'respond'; readonly status: number; readonly body: string }

export type RouteRule = {
  /** Shows in metrics, the access log and traces. */
  readonly name: string
  readonly match: RouteMatch
  readonly action: RouteAction
  /** From the request's end to the reply head; undefined: none. */
  readonly timeoutMs: number | undefined
}

/** Hosts a rule list applies to: exact, `*`, `*.suffix`. A destination from the control plane has one, `['*']`. */
export type VirtualHostRules = { readonly domains: readonly string[]; readonly rules: readonly RouteRule[] }
