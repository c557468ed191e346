/** The Gateway API's HTTPRoute and GRPCRoute, as far as Services are their parents. */
import type { RouteMatch } from './objects.ts'
import type { TrafficSettings } from './traffic-settings.ts'

/** On one Service and port a GRPCRoute beats every HTTPRoute. */
const routeKinds = ['HTTPRoute', 'GRPCRoute'] as const
export type RouteKind = (typeof routeKinds)[number]

export function isRouteKind(kind: string): kind is RouteKind {
  return (routeKinds as readonly string[]).includes(kind)
}

export type HeaderField = { readonly name: string; readonly value: string }
export type HeaderModifier = {
  readonly set: readonly HeaderField[]
  readonly add: readonly HeaderField[]
  readonly remove: readonly string[]
}
/** Replaces the whole path, or the prefix that was matched. */
export type PathModifier = { readonly kind: 'full' | 'prefix'; readonly value: string }

export type BackendReference = {
  readonly namespace: string
  readonly service: string
  readonly port: number
  /** Not a Service. */
  readonly unsupported: boolean
}
export type Fraction = { readonly numerator: number; readonly denominator: number }

export const redirectStatuses = [301, 302, 303, 307, 308] as const
export type RedirectSettings = {
  readonly scheme: 'http' | 'https' | undefined
  readonly host: string | undefined
  readonly port: number | undefined
  readonly path: PathModifier | undefined
  readonly status: (typeof redirectStatuses)[number]
}

export type RouteFilter =
  | { readonly kind: 'requestHeaders' | 'responseHeaders'; readonly modifier: HeaderModifier }
  | { readonly kind: 'redirect'; readonly redirect: RedirectSettings }
  | { readonly kind: 'rewrite'; readonly host: string | undefined; readonly path: PathModifier | undefined }
  | { readonly kind: 'mirror'; readonly to: BackendReference; readonly fraction: Fraction }
  /** Requests that it is for may not pass without it. */
  | { readonly kind: 'unsupported'; readonly type: string }

export type RouteBackend = BackendReference & {
  readonly weight: number
  readonly filters: readonly RouteFilter[]
}

/** GEP-1731. Undefined: whatever is usual. */
export type RouteRetry = {
  readonly statusCodes: readonly number[]
  /** Attempts after the first one; 0: none. */
  readonly limit: number | undefined
  readonly backoffMs: number | undefined
}

/** GEP-1619. */
export type SessionPersistence = {
  readonly kind: 'cookie' | 'header'
  /** Undefined: one that no other rule has. */
  readonly name: string | undefined
  readonly absoluteTimeoutMs: number | undefined
  readonly idleTimeoutMs: number | undefined
  /** The cookie outlives the client's session, for as long as `absoluteTimeoutMs`. */
  readonly permanent: boolean
}

export type RouteRule = {
  readonly name: string | undefined
  /** One of them has to match; none: everything does. */
  readonly matches: readonly RouteMatch[]
  readonly filters: readonly RouteFilter[]
  readonly backends: readonly RouteBackend[]
  /** For the client's request; 0: none. */
  readonly timeoutMs: number | undefined
  /** For one attempt at a backend; 0: none. */
  readonly attemptTimeoutMs: number | undefined
  readonly retry: RouteRetry | undefined
  readonly session: SessionPersistence | undefined
}

export type RouteParent = {
  readonly namespace: string
  readonly service: string
  /** Undefined: all ports of the Service. */
  readonly port: number | undefined
  /** A port's name. */
  readonly sectionName: string | undefined
  /** As it was written: a status has to name it so. */
  readonly reference: object
}

export type Route = {
  readonly kind: RouteKind
  readonly namespace: string
  readonly name: string
  readonly parents: readonly RouteParent[]
  readonly rules: readonly RouteRule[]
  /** What its annotations say, over what its Service's do; a rule says more. */
  readonly traffic: TrafficSettings
  readonly createdMs: number | undefined
}

/** Lets routes of other namespaces refer to Services of its own. */
export type ReferenceGrant = {
  readonly namespace: string
  readonly name: string
  /** The routes that may refer here. */
  readonly from: readonly { readonly kind: RouteKind; readonly namespace: string }[]
  /** Services; undefined: all. */
  readonly services: readonly string[] | undefined
}
