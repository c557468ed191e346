/** What a Service's traffic settings ask of those who send to it -> fields of a Route. */
import { grpcStatusNames } from '../../api/grpc-status.ts'
import { type Any, pack } from '../../api/xds/codec.ts'
import { faultFilter, retryOptions } from '../../api/xds/naming.ts'
import type { RetryPolicy, Route, RouteAction } from '../../api/xds/types.ts'
import type { FaultSettings, RetrySettings, TrafficSettings } from '../model/traffic-settings.ts'
import type { ClientKind } from './client-kind.ts'
import { durationOf } from './duration.ts'

/** What stock gRPC clients can retry on. */
const grpcConditions = new Set([
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
])

/** What a sidecar sends again without being asked, and how often: nothing of it was written yet. */
const envoySafe = { conditions: ['connect-failure', 'refused-stream'], limit: 2 } as const

/** To another endpoint, as a sidecar does by itself. */
const envoyElsewhere: RetryPolicy = {
  retryHostPredicate: [
    {
      name: 'envoy.retry_host_predicates.previous_hosts',
      typedConfig: pack('envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate', {}),
    },
  ],
  hostSelectionRetryMaxAttempts: 5,
}

function conditionsOf({ conditions, statusCodes }: RetrySettings, kind: ClientKind): readonly string[] {
  if (kind === 'grpc') return conditions.filter((condition) => grpcConditions.has(condition))
  return statusCodes.length === 0 ? conditions : [...conditions, 'retriable-status-codes']
}

/** Sidecars are told the methods in words of ours; Envoy takes them as a header of the request. */
function methodMatchers({ methods }: RetrySettings): RetryPolicy['retriableRequestHeaders'] {
  return methods === undefined
    ? undefined
    : [{ name: ':method', stringMatch: { safeRegex: { regex: methods.join('|') } } }]
}

function retryPolicy(
  retries: RetrySettings | undefined,
  attemptMs: number | undefined,
  kind: ClientKind,
): RetryPolicy | undefined {
  const perTryTimeout = attemptMs === undefined || kind === 'grpc' ? undefined : durationOf(attemptMs)
  const conditions = retries === undefined ? [] : conditionsOf(retries, kind)
  if (retries === undefined || retries.limit === 0 || conditions.length === 0) {
    if (kind === 'envoy') {
      const { conditions: safe, limit } = envoySafe
      return { retryOn: safe.join(','), numRetries: { value: limit }, perTryTimeout, ...envoyElsewhere }
    }
    // Envoy has the timeout of an attempt here, also of the only one.
    return perTryTimeout && { numRetries: { value: 0 }, perTryTimeout }
  }
  const { baseMs, maxMs, retryAfterMaxMs } = retries.backoff
  return {
    retryOn: (kind === 'envoy' ? [...new Set([...conditions, ...envoySafe.conditions])] : conditions).join(
      ',',
    ),
    numRetries: { value: retries.limit },
    ...(kind === 'envoy' && envoyElsewhere),
    // Stock gRPC clients read whole seconds as ten times as many.
    ...(kind === 'grpc' && maxMs >= 1000
      ? {}
      : { retryBackOff: { baseInterval: durationOf(baseMs), maxInterval: durationOf(maxMs) } }),
    ...(kind === 'grpc' ? {} : { perTryTimeout, retriableStatusCodes: retries.statusCodes }),
    ...(kind === 'envoy' ? { retriableRequestHeaders: methodMatchers(retries) } : {}),
    ...(kind === 'grpc' || retryAfterMaxMs === undefined
      ? {}
      : {
          rateLimitedRetryBackOff: {
            resetHeaders: [{ name: 'Retry-After' }],
            maxInterval: durationOf(retryAfterMaxMs),
          },
        }),
  }
}

/** What Envoy has no words for. */
function sidecarOptions(traffic: TrafficSettings): Any | undefined {
  const { retries, timeouts } = traffic
  if (retries === undefined && timeouts?.responseMs === undefined) return undefined
  const { backoff, budget, hedging, methods } = retries ?? {}
  return pack('weft.route.v1.RetryOptions', {
    methods,
    budget: budget && {
      ratioPercent: budget.ratioPercent,
      minPerSecond: budget.minPerSecond,
      ttl: durationOf(budget.ttlMs),
    },
    hedging:
      hedging &&
      (hedging.kind === 'delay'
        ? { delay: durationOf(hedging.delayMs) }
        : { percentile: hedging.percentile }),
    minBackOff: backoff === undefined || backoff.minMs === 0 ? undefined : durationOf(backoff.minMs),
    attemptTimeout: timeouts?.responseMs === undefined ? undefined : durationOf(timeouts.responseMs),
  })
}

function percentage(percent: number): { numerator: number; denominator: 'MILLION' } {
  return { numerator: Math.round(percent * 10_000), denominator: 'MILLION' }
}

function statusOfAbort(abort: NonNullable<FaultSettings['abort']>) {
  return 'status' in abort
    ? { httpStatus: abort.status }
    : { grpcStatus: grpcStatusNames.indexOf(abort.grpcStatus) }
}

function faultConfig({ delay, abort, headers }: FaultSettings): Any {
  return pack('envoy.extensions.filters.http.fault.v3.HTTPFault', {
    delay: delay && { fixedDelay: durationOf(delay.delayMs), percentage: percentage(delay.percent) },
    abort: abort && { ...statusOfAbort(abort), percentage: percentage(abort.percent) },
    headers: headers.map(({ name, value, regex }) => ({
      name,
      stringMatch: regex ? { safeRegex: { regex: value } } : { exact: value },
    })),
  })
}

function perFilter(traffic: TrafficSettings, kind: ClientKind): Route['typedPerFilterConfig'] {
  const options = kind === 'sidecar' ? sidecarOptions(traffic) : undefined
  if (options === undefined && traffic.fault === undefined) return undefined
  return {
    ...(traffic.fault === undefined ? {} : { [faultFilter]: faultConfig(traffic.fault) }),
    ...(options === undefined ? {} : { [retryOptions]: options }),
  }
}

/** Envoy looks at a call's own timeout where it is told to; zero leaves it as it is. */
function streamLimit(
  timeouts: TrafficSettings['timeouts'],
  kind: ClientKind,
  calls: boolean,
): RouteAction['maxStreamDuration'] {
  if (kind === 'envoy' && calls) return { grpcTimeoutHeaderMax: durationOf(timeouts?.requestMs ?? 0) }
  if (kind !== 'grpc' || timeouts?.requestMs === undefined) return undefined
  return { maxStreamDuration: durationOf(timeouts.requestMs) }
}

/** What a rule's requests are to be treated like; `traffic` is the rule's own already, `calls`: they are gRPC calls. */
export function routePolicy(
  traffic: TrafficSettings,
  kind: ClientKind,
  calls = false,
): {
  readonly action: Pick<RouteAction, 'timeout' | 'idleTimeout' | 'retryPolicy' | 'maxStreamDuration'>
  readonly perFilter: Route['typedPerFilterConfig']
} {
  const { timeouts, retries } = traffic
  const timeout = durationOf(timeouts?.requestMs ?? 0)
  const attemptMs = timeouts?.perTryMs ?? retries?.perTryTimeoutMs
  const idleMs = timeouts?.idleMs
  return {
    action: {
      // Zero means none; left out, Envoy would take its 15 s.
      timeout,
      idleTimeout: idleMs === undefined || kind === 'grpc' ? undefined : durationOf(idleMs),
      retryPolicy: retryPolicy(retries, attemptMs, kind),
      maxStreamDuration: streamLimit(timeouts, kind, calls),
    },
    perFilter: perFilter(traffic, kind),
  }
}
