/** A rule's policy as layers, outermost first; what is not configured is not among them. */
import type { Clock } from '../core/clock.ts'
import type { Reply } from './exchange.ts'
import type { Layer } from './layer.ts'
import { attemptTimeout } from './layers/attempt-timeout.ts'
import { fault, type FaultCounts } from './layers/fault.ts'
import { hedge } from './layers/hedge.ts'
import { idleTimeout } from './layers/idle-timeout.ts'
import { retry, retryByPolicy } from './layers/retry.ts'
import { timeout } from './layers/timeout.ts'
import type { DestinationRetries } from './retry/destination-retries.ts'
import { RetryRules } from './retry/retry-policy.ts'
import { headersPredicate } from './route/match.ts'
import type { RoutePolicy } from './route/route-policy.ts'
import type { RouteRule } from './route/route-rule.ts'

export type PolicyLayerParts = { readonly clock: Clock; readonly faultCounts: FaultCounts }

function faultLayers(
  policy: RoutePolicy['fault'],
  { clock, faultCounts: counts }: PolicyLayerParts,
): Layer[] {
  if (policy === undefined) return []
  return [fault({ policy, matches: headersPredicate(policy.headers), counts, clock, random: Math.random })]
}

function retryLayers(policy: RoutePolicy | undefined, retries: DestinationRetries, clock: Clock): Layer[] {
  const rules = policy?.retries === undefined ? undefined : new RetryRules(policy.retries)
  const layers =
    rules === undefined ? [retry(retries)] : [retryByPolicy({ rules, retries, clock, random: Math.random })]
  if (policy?.hedging !== undefined) {
    const isGood = ({ status, headers }: Reply): boolean =>
      rules === undefined ? status < 500 : rules.ofReply(status, headers) === undefined
    layers.push(hedge({ policy: policy.hedging, retries, isGood, clock }))
  }
  return layers
}

/**
 * Around everything that is done for an exchange. A fault is outermost, so that its delay is no part of the request's
 * time (as in Envoy); the request's time is outside of retries, however many there are.
 */
export function exchangeLayers(
  { timeoutMs, policy }: Pick<RouteRule, 'timeoutMs' | 'policy'>,
  parts: PolicyLayerParts,
): Layer[] {
  const layers = faultLayers(policy?.fault, parts)
  if (timeoutMs !== undefined) layers.push(timeout(timeoutMs, parts.clock))
  if (policy?.idleTimeoutMs !== undefined) layers.push(idleTimeout(policy.idleTimeoutMs, parts.clock))
  return layers
}

/** Around the balancer: retries outside of it, so that each picks anew, and each attempt's time inside of them. */
export function attemptLayers(
  policy: RoutePolicy | undefined,
  retries: DestinationRetries,
  clock: Clock,
): Layer[] {
  const layers = retryLayers(policy, retries, clock)
  const { headMs, endMs } = policy?.attempt ?? {}
  if (headMs !== undefined || endMs !== undefined) layers.push(attemptTimeout({ headMs, endMs }, clock))
  return layers
}
