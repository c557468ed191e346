/** Annotations that people write; `annotation-help.ts` says what each means. */
export const annotations = {
  inject: 'weft.dev/inject',
  inbound: 'config.weft.dev/inbound',
  opaquePorts: 'config.weft.dev/opaque-ports',
} as const

/** Who may connect to a workload, the usual one first. */
export const inboundPolicies = ['all-unauthenticated', 'all-authenticated'] as const
export type InboundPolicy = (typeof inboundPolicies)[number]

/** What the injector writes on a Pod that it gives a sidecar. */
export const injectedLabel = 'weft.dev/injected'
export const injectedAnnotations = {
  proxyVersion: 'weft.dev/proxy-version',
  trustBundle: 'weft.dev/trust-bundle',
} as const

/** What the conversion webhook keeps in them: fields that the version which an object is stored or read in has no place for. */
export const conversionAnnotations = {
  weights: 'weft.dev/v1alpha1-weights',
  splitMatches: 'weft.dev/v1alpha3-matches',
  routeHeaders: 'weft.dev/v1alpha2-headers',
  routePorts: 'weft.dev/v1alpha4-ports',
  destinationPort: 'weft.dev/v1alpha2-destination-port',
} as const

/** Annotations of a Service: settings for the traffic to it, as in a TrafficPolicy, which beats them section by section. */
export const trafficAnnotations = {
  retryHttp: 'retry.weft.dev/http',
  retryGrpc: 'retry.weft.dev/grpc',
  retryLimit: 'retry.weft.dev/limit',
  retryTimeout: 'retry.weft.dev/timeout',
  timeoutRequest: 'timeout.weft.dev/request',
  timeoutResponse: 'timeout.weft.dev/response',
  timeoutIdle: 'timeout.weft.dev/idle',
  balancerType: 'balancer.weft.dev/type',
  balancerHash: 'balancer.weft.dev/hash',
  balancerSlowStart: 'balancer.weft.dev/slow-start',
  balancerZonePreference: 'balancer.weft.dev/zone-preference',
  failureAccrual: 'balancer.weft.dev/failure-accrual',
  maxFailures: 'balancer.weft.dev/failure-accrual-consecutive-max-failures',
  minPenalty: 'balancer.weft.dev/failure-accrual-consecutive-min-penalty',
  maxPenalty: 'balancer.weft.dev/failure-accrual-consecutive-max-penalty',
} as const

/** Annotations that begin so and are not listed above are misspelt. */
export const trafficAnnotationPrefixes = [
  'retry.weft.dev/',
  'timeout.weft.dev/',
  'balancer.weft.dev/',
] as const

export type InboundMapping = {
  readonly host: string
  readonly port: number
  readonly applicationPort: number
}

const mapping = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9A-Za-z.-]+)):([0-9]{1,5})=([0-9]{1,5})$/

function isPort(port: number): boolean {
  return port >= 1 && port <= 65_535
}

/** Reads `config.weft.dev/inbound`; the problems name each part that is wrong. */
export function parseInboundAnnotation(
  value: string,
):
  | { readonly ok: true; readonly mappings: readonly InboundMapping[] }
  | { readonly ok: false; readonly problems: readonly string[] } {
  const mappings: InboundMapping[] = []
  const problems: string[] = []
  for (const part of value.split(',').map((text) => text.trim())) {
    const match = mapping.exec(part)
    const port = Number(match?.[3])
    const applicationPort = Number(match?.[4])
    if (match === null || !isPort(port) || !isPort(applicationPort)) {
      problems.push(`'${part}' is not listen-address:port=application-port`)
      continue
    }
    mappings.push({ host: match[1] ?? (match[2] as string), port, applicationPort })
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, mappings }
}
