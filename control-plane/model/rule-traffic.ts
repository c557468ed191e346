/** What a route's rule and its annotations say about timeouts and retries, over what its Service's policy says. Pure. */
import type { RouteRetry } from './route.ts'
import type { Rule } from './rule.ts'
import { defaultRetries, overlay, type RetrySettings, type TrafficSettings } from './traffic-settings.ts'

/** GEP-1731: the statuses named, and always what brought no reply. Without statuses, those that say so for others. */
function retriesOf(
  { statusCodes, limit, backoffMs }: RouteRetry,
  policy: RetrySettings | undefined,
): RetrySettings {
  const usual = policy ?? defaultRetries
  return {
    ...usual,
    conditions: statusCodes.length === 0 ? ['gateway-error'] : ['reset', 'connect-failure'],
    statusCodes,
    methods: undefined,
    limit: limit ?? usual.limit,
    backoff: backoffMs === undefined ? usual.backoff : { ...usual.backoff, ...backoffFrom(backoffMs) },
  }
}

/** Attempts keep at least so far apart, whatever the jitter. */
function backoffFrom(ms: number): Pick<RetrySettings['backoff'], 'minMs' | 'baseMs' | 'maxMs'> {
  return { minMs: ms, baseMs: ms, maxMs: ms * 10 }
}

/** Zero: none. */
function own(ms: number | undefined, ofPolicy: number | undefined): number | undefined {
  if (ms === undefined) return ofPolicy
  return ms === 0 ? undefined : ms
}

export function ruleTraffic(
  rule: Pick<Rule, 'timeoutMs' | 'attemptTimeoutMs' | 'retry' | 'traffic'>,
  ofService: TrafficSettings,
): TrafficSettings {
  const { timeoutMs, attemptTimeoutMs, retry, traffic } = rule
  const policy = traffic === undefined ? ofService : overlay(traffic, ofService)
  if (timeoutMs === undefined && attemptTimeoutMs === undefined && retry === undefined) return policy
  const { timeouts } = policy
  const retries = retry === undefined ? policy.retries : retriesOf(retry, policy.retries)
  return {
    ...policy,
    timeouts: {
      requestMs: own(timeoutMs, timeouts?.requestMs),
      responseMs: timeouts?.responseMs,
      perTryMs: own(attemptTimeoutMs, timeouts?.perTryMs ?? policy.retries?.perTryTimeoutMs),
      idleMs: timeouts?.idleMs,
    },
    // Said above, for an attempt that is not retried as well.
    retries: retries && { ...retries, perTryTimeoutMs: undefined },
  }
}
