/** Annotations that people write, and how their values read. */
export const annotations = {
  /** `enabled` or `disabled`, on a Namespace or a Pod (also as a label); the Pod wins. */
  inject: 'weft.dev/inject',
  /** Explicit inbound addresses: `listen-address:port=application-port`, comma-separated. */
  inbound: 'config.weft.dev/inbound',
  opaquePorts: 'config.weft.dev/opaque-ports',
} as const

/**
 * Annotations of a Service: settings for the traffic to it, as in a TrafficPolicy. A TrafficPolicy for the same Service
 * beats them, section by section (timeouts, retries, balancer, outlier detection).
 */
export const trafficAnnotations = {
  /** What to retry, comma-separated: `5xx`, `gateway-error`, `503`, `500-504`, or a condition of Envoy's. */
  retryHttp: 'retry.weft.dev/http',
  /** The same for gRPC statuses: `cancelled`, `deadline-exceeded`, `internal`, `resource-exhausted`, `unavailable`. */
  retryGrpc: 'retry.weft.dev/grpc',
  /** Attempts after the first one; 1 unless set. */
  retryLimit: 'retry.weft.dev/limit',
  /** For each attempt. */
  retryTimeout: 'retry.weft.dev/timeout',
  timeoutRequest: 'timeout.weft.dev/request',
  timeoutResponse: 'timeout.weft.dev/response',
  timeoutIdle: 'timeout.weft.dev/idle',
  /** `PeakEWMA`, `LeastRequest`, `RoundRobin`, `Random`, `RingHash` or `Maglev`. */
  balancerType: 'balancer.weft.dev/type',
  /** Comma-separated: `header:NAME`, `cookie:NAME`, `query:NAME`, `source-ip`. */
  balancerHash: 'balancer.weft.dev/hash',
  /** How long an endpoint that joined takes to get its full share. */
  balancerSlowStart: 'balancer.weft.dev/slow-start',
  /** `Hints`, `SameZone` or `Disabled`. */
  balancerZonePreference: 'balancer.weft.dev/zone-preference',
  /** `consecutive`: endpoints are left out after failures in a row. */
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
