/** One rule of a destination: what it matches, and where that goes. */
import type { RouteMatch } from './objects.ts'
import type {
  Fraction,
  HeaderModifier,
  PathModifier,
  RedirectSettings,
  RouteRetry,
  SessionPersistence,
} from './route.ts'
import type { TrafficSettings } from './traffic-settings.ts'

/** A service's key and port. */
export type Backend = { readonly key: string; readonly port: number }

/** What is done to requests on their way, and to their replies. */
export type RuleFilters = {
  readonly requestHeaders: HeaderModifier | undefined
  readonly responseHeaders: HeaderModifier | undefined
  readonly host: string | undefined
  readonly path: PathModifier | undefined
  readonly mirrors: readonly { readonly backend: Backend; readonly fraction: Fraction }[]
  /** Instead of being sent anywhere. */
  readonly redirect: RedirectSettings | undefined
}

/** `backend` is a service's key, or undefined for one that does not exist: its share of the requests fails. */
export type WeightedBackend = {
  readonly backend: Backend | undefined
  readonly weight: number
  /** Its own, beside those of the rule. */
  readonly filters?: RuleFilters | undefined
}

export type Rule = {
  readonly name: string
  readonly match: RouteMatch | undefined
  readonly backends: readonly WeightedBackend[]
  /** A backend without endpoints gives its share to the others (SMI), instead of failing it (Gateway API). */
  readonly sharesMove?: boolean
  /** For the client's request; 0: none. */
  readonly timeoutMs: number | undefined
  readonly filters?: RuleFilters | undefined
  /** For one attempt; 0: none. */
  readonly attemptTimeoutMs?: number | undefined
  readonly retry?: RouteRetry | undefined
  readonly session?: SessionPersistence | undefined
  /** Of a GRPCRoute. */
  readonly grpc?: boolean
  /** What the annotations of its route say. */
  readonly traffic?: TrafficSettings | undefined
}

/** The service's own endpoints. */
export function own(key: string, port: number): Rule {
  return {
    name: `service/${key}`,
    match: undefined,
    backends: [{ backend: { key, port }, weight: 1 }],
    timeoutMs: undefined,
  }
}

/** What weights may add up to on the wire. */
const maxTotal = 2 ** 32 - 1

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}

/** The smallest whole numbers of the same proportions; zero stays zero, and nothing else becomes it. */
export function reduceWeights(weights: readonly number[]): readonly number[] {
  const divisor = weights.reduce(gcd, 0)
  const reduced = divisor <= 1 ? weights : weights.map((weight) => weight / divisor)
  const total = reduced.reduce((sum, weight) => sum + weight, 0)
  if (total <= maxTotal) return reduced
  const room = maxTotal - reduced.length
  return reduced.map((weight) => (weight === 0 ? 0 : Math.max(1, Math.floor((weight / total) * room))))
}
