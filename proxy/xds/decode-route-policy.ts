/** Timeouts, retries, hedging and faults of a Route. What cannot be honoured is refused with its path, never ignored. */
import { grpcStatusNames } from '../../api/grpc-status.ts'
import { unpackAs } from '../../api/xds/codec.ts'
import { faultFilter, retryOptions } from '../../api/xds/naming.ts'
import type { FractionalPercent, HttpFault, RetryOptions, RetryPolicy, Route } from '../../api/xds/types.ts'
import { httpStatusOf } from '../grpc/status-codes.ts'
import { type RetryCondition, retryConditions, type RetryPolicy as Retries } from '../retry/retry-policy.ts'
import type { FaultPolicy, HedgePolicy, RoutePolicy } from '../route/route-policy.ts'
import { decodeHeaderMatch, fractionOf } from './decode-route-match.ts'
import { durationMs } from './duration.ts'
import type { Problems } from './problems.ts'

/** Envoy's. */
const defaultBaseMs = 25
/** More attempts than this are a mistake, whoever makes it. */
const mostRetries = 100

function isCondition(text: string): text is RetryCondition {
  return (retryConditions as readonly string[]).includes(text)
}

function conditions(policy: RetryPolicy, path: string, problems: Problems): readonly RetryCondition[] {
  const words = (policy.retryOn ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
  for (const word of words)
    if (!isCondition(word)) problems.add(`${path}.retry_on`, `'${word}' is not supported`)
  return words.filter(isCondition)
}

function backoff(
  policy: RetryPolicy,
  options: RetryOptions | undefined,
  path: string,
  problems: Problems,
): Retries['backoff'] {
  const baseMs = durationMs(policy.retryBackOff?.baseInterval) ?? defaultBaseMs
  const maxMs = durationMs(policy.retryBackOff?.maxInterval) ?? baseMs * 10
  if (maxMs < baseMs) problems.add(`${path}.retry_back_off.max_interval`, 'is shorter than base_interval')
  const limited = policy.rateLimitedRetryBackOff
  for (const [i, { name = '', format = 'SECONDS' }] of (limited?.resetHeaders ?? []).entries())
    if (name.toLowerCase() !== 'retry-after' || format !== 'SECONDS')
      problems.add(
        `${path}.rate_limited_retry_back_off.reset_headers[${i}]`,
        'is not supported, but for Retry-After in seconds',
      )
  const retryAfterMaxMs = limited && (durationMs(limited.maxInterval) ?? 300_000)
  return { minMs: durationMs(options?.minBackOff) ?? 0, baseMs, maxMs, retryAfterMaxMs }
}

function decodeRetries(
  policy: RetryPolicy | undefined,
  options: RetryOptions | undefined,
  path: string,
  problems: Problems,
): Retries | undefined {
  if (policy === undefined) return undefined
  for (const [name, value] of [
    ['retriable_headers', policy.retriableHeaders],
    ['retriable_request_headers', policy.retriableRequestHeaders],
  ] as const)
    if (value !== undefined) problems.add(`${path}.${name}`, 'are not supported')
  const limit = policy.numRetries?.value ?? 1
  if (limit > mostRetries) problems.add(`${path}.num_retries`, `is more than ${mostRetries}`)
  const asked = conditions(policy, path, problems)
  if (limit === 0 || asked.length === 0) return undefined
  const methods = options?.methods
  return {
    conditions: asked,
    statusCodes: policy.retriableStatusCodes ?? [],
    methods: methods === undefined || methods.length === 0 ? undefined : methods,
    limit,
    backoff: backoff(policy, options, path, problems),
  }
}

function decodeHedging(
  hedging: RetryOptions['hedging'],
  path: string,
  problems: Problems,
): HedgePolicy | undefined {
  if (hedging === undefined) return undefined
  const delayMs = durationMs(hedging.delay)
  if (delayMs !== undefined) return { kind: 'delay', delayMs }
  const { percentile = 0 } = hedging
  if (percentile > 0 && percentile < 100) return { kind: 'percentile', percentile }
  problems.add(`${path}.hedging`, 'has neither a delay nor a percentile between 0 and 100')
  return undefined
}

function decodeBudget(
  budget: RetryOptions['budget'],
  path: string,
  problems: Problems,
): RoutePolicy['budget'] {
  if (budget === undefined) return undefined
  const { ratioPercent = 0, minPerSecond = 0 } = budget
  if (!(ratioPercent >= 0 && ratioPercent <= 100))
    problems.add(`${path}.budget.ratio_percent`, 'is no percentage')
  if (!(minPerSecond >= 0)) problems.add(`${path}.budget.min_per_second`, 'is negative')
  return { ratio: ratioPercent / 100, minPerSecond, ttlMs: durationMs(budget.ttl) ?? 10_000 }
}

function percentOf(percentage: FractionalPercent | undefined): number {
  return percentage === undefined ? 0 : 100 * fractionOf({ defaultValue: percentage })
}

export const faultName = 'envoy.extensions.filters.http.fault.v3.HTTPFault'

function decodeAbort(
  { httpStatus, grpcStatus, percentage }: NonNullable<HttpFault['abort']>,
  path: string,
  problems: Problems,
): FaultPolicy['abort'] {
  const status = grpcStatus === undefined ? (httpStatus ?? 0) : httpStatusOf(grpcStatus)
  if (grpcStatus !== undefined && grpcStatus >= grpcStatusNames.length)
    problems.add(`${path}.grpc_status`, `${grpcStatus} is no status of gRPC`)
  if (status < 200 || status > 599) problems.add(`${path}.http_status`, `${status} is no final status`)
  return { status, grpcStatus, percent: percentOf(percentage) }
}

/** Undefined: none. */
export function decodeFault(
  fault: HttpFault | undefined,
  path: string,
  problems: Problems,
): FaultPolicy | undefined {
  if (fault === undefined) return undefined
  const { delay, abort, headers = [] } = fault
  if (fault.maxActiveFaults !== undefined) problems.add(`${path}.max_active_faults`, 'is not supported')
  const delayMs = durationMs(delay?.fixedDelay)
  if (delay !== undefined && delayMs === undefined) problems.add(`${path}.delay.fixed_delay`, 'is missing')
  return {
    delay: delayMs === undefined ? undefined : { delayMs, percent: percentOf(delay?.percentage) },
    abort: abort && decodeAbort(abort, `${path}.abort`, problems),
    headers: headers.map((matcher, i) => decodeHeaderMatch(matcher, `${path}.headers[${i}]`, problems)),
  }
}

/** A RouteAction's own policy, else its virtual host's. Undefined when nothing is asked for beside what is safe. */
export function decodeRoutePolicy(
  route: Route,
  ofHost: RetryPolicy | undefined,
  path: string,
  problems: Problems,
): RoutePolicy | undefined {
  const { route: action, typedPerFilterConfig: perFilter = {} } = route
  if (action === undefined) return undefined
  if (action.hedgePolicy !== undefined) problems.add(`${path}.route.hedge_policy`, 'is not supported')
  const options = unpackAs('weft.route.v1.RetryOptions', perFilter[retryOptions])
  const here = `${path}.typed_per_filter_config`
  const faultMessage = unpackAs(faultName, perFilter[faultFilter])
  const retryPolicy = action.retryPolicy ?? ofHost
  const policy: RoutePolicy = {
    idleTimeoutMs: durationMs(action.idleTimeout),
    attempt: {
      headMs: durationMs(retryPolicy?.perTryTimeout),
      endMs: durationMs(options?.attemptTimeout),
    },
    retries: decodeRetries(retryPolicy, options, `${path}.route.retry_policy`, problems),
    hedging: decodeHedging(options?.hedging, `${here}["${retryOptions}"]`, problems),
    budget: decodeBudget(options?.budget, `${here}["${retryOptions}"]`, problems),
    fault: decodeFault(faultMessage, `${here}["${faultFilter}"]`, problems),
  }
  const { attempt, ...rest } = policy
  const asked = [...Object.values(attempt), ...Object.values(rest)].some((value) => value !== undefined)
  return asked ? policy : undefined
}
