/** The `retry.`, `timeout.` and `balancer.weft.dev` annotations of a Service, and those of a route -> the model; names and meaning as Linkerd's. */
import { trafficAnnotationPrefixes, trafficAnnotations as names } from '../../api/annotations.ts'
import {
  type BalancerSettings,
  defaultBalancer,
  defaultOutlierDetection,
  defaultRetries,
  type HashInput,
  noTrafficSettings,
  type OutlierDetectionSettings,
  type RetryCondition,
  retryConditions,
  type RetrySettings,
  type TimeoutSettings,
  type TrafficSettings,
} from '../model/traffic-settings.ts'
import {
  balancerTypes,
  checkBalancer,
  defaultAlgorithm,
  zonePreferenceNames,
  zonePreferences,
} from './balancer-field.ts'
import type { FieldReader } from './field-reader.ts'
import { parseStatusCodes } from './retries-field.ts'

/** Linkerd's penalties, for its kind of outlier detection. */
const accrual = { maxFailures: 7, minPenaltyMs: 1_000, maxPenaltyMs: 60_000, jitter: 0.5 }

function parts(field: FieldReader): readonly string[] {
  return (field.string() ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function isCondition(text: string): text is RetryCondition {
  return (retryConditions as readonly string[]).includes(text)
}

function readRetries(annotations: FieldReader): RetrySettings | undefined {
  const fields = [annotations.at(names.retryHttp), annotations.at(names.retryGrpc)]
  const [limit, timeout] = [annotations.at(names.retryLimit), annotations.at(names.retryTimeout)]
  if (![...fields, limit, timeout].some((field) => field.present)) return undefined
  const conditions: RetryCondition[] = []
  const statusCodes: number[] = []
  for (const field of fields) {
    for (const part of parts(field)) {
      const codes = parseStatusCodes(part)
      if (isCondition(part)) conditions.push(part)
      else if (codes === undefined) field.problem(`'${part}' is no condition, status code or range of them`)
      else statusCodes.push(...codes)
    }
  }
  return {
    ...defaultRetries,
    conditions,
    statusCodes,
    limit: limit.integerText(0, 10) ?? defaultRetries.limit,
    perTryTimeoutMs: timeout.durationMs(),
  }
}

function readTimeouts(annotations: FieldReader): TimeoutSettings | undefined {
  const requestMs = annotations.at(names.timeoutRequest).durationMs()
  const responseMs = annotations.at(names.timeoutResponse).durationMs()
  const idleMs = annotations.at(names.timeoutIdle).durationMs()
  if (requestMs === undefined && responseMs === undefined && idleMs === undefined) return undefined
  return { requestMs, responseMs, perTryMs: undefined, idleMs }
}

function readHash(field: FieldReader): HashInput[] {
  return parts(field).flatMap((part): HashInput[] => {
    if (part === 'source-ip') return [{ kind: 'source-ip' }]
    const [, kind, name] = /^(header|cookie|query):([^\s:;,="]+)$/.exec(part) ?? []
    if (name === undefined) {
      field.problem(`'${part}' must be header:NAME, cookie:NAME, query:NAME or source-ip`)
      return []
    }
    if (kind === 'header') return [{ kind, name: name.toLowerCase() }]
    return kind === 'cookie' ? [{ kind, name, ttlMs: undefined, path: undefined }] : [{ kind: 'query', name }]
  })
}

function readBalancer(annotations: FieldReader): BalancerSettings | undefined {
  const [type, hash, slowStart, zone] = [
    annotations.at(names.balancerType),
    annotations.at(names.balancerHash),
    annotations.at(names.balancerSlowStart),
    annotations.at(names.balancerZonePreference),
  ] as const
  if (![type, hash, slowStart, zone].some((field) => field.present)) return undefined
  const windowMs = slowStart.durationMs()
  const preference = zone.choice(zonePreferenceNames)
  const balancer: BalancerSettings = {
    algorithm: defaultAlgorithm(type.choice(balancerTypes) ?? 'PeakEWMA'),
    hash: readHash(hash),
    slowStart: windowMs === undefined ? undefined : { windowMs, minWeightPercent: 10, aggression: 1 },
    zonePreference: preference === undefined ? defaultBalancer.zonePreference : zonePreferences[preference],
  }
  const fieldOf = { hash, slowStart, zonePreference: zone }
  checkBalancer(balancer, (part, problem) => fieldOf[part].problem(problem))
  return balancer
}

function readFailureAccrual(annotations: FieldReader): OutlierDetectionSettings | undefined {
  const mode = annotations.at(names.failureAccrual).choice(['consecutive'])
  const maxFailures = annotations.at(names.maxFailures).integerText(1, 10_000)
  const minPenaltyMs = annotations.at(names.minPenalty).durationMs() ?? accrual.minPenaltyMs
  const maxPenaltyMs = annotations.at(names.maxPenalty).durationMs() ?? accrual.maxPenaltyMs
  if (mode === undefined) return undefined
  if (maxPenaltyMs < minPenaltyMs)
    annotations.at(names.maxPenalty).problem(`must not be shorter than ${names.minPenalty}`)
  return {
    ...defaultOutlierDetection,
    consecutiveFailures: maxFailures ?? accrual.maxFailures,
    baseEjectionMs: minPenaltyMs,
    maxEjectionMs: maxPenaltyMs,
    ejectionJitterMs: minPenaltyMs * accrual.jitter,
    // As with Linkerd, every endpoint may be left out, and stays so.
    maxEjectionPercent: 100,
    panicPercent: 0,
  }
}

function checkNames(annotations: FieldReader, known: readonly string[]): void {
  for (const key of Object.keys(annotations.strings()))
    if (!known.includes(key) && trafficAnnotationPrefixes.some((prefix) => key.startsWith(prefix)))
      annotations.at(key).problem('is not known')
}

/** Everything that a Service's annotations say; a misspelt one is a problem of its own. */
export function readTrafficAnnotations(annotations: FieldReader): TrafficSettings {
  checkNames(annotations, Object.values(names))
  return {
    ...noTrafficSettings,
    timeouts: readTimeouts(annotations),
    retries: readRetries(annotations),
    balancer: readBalancer(annotations),
    outlierDetection: readFailureAccrual(annotations),
  }
}

/** Those that a route may have for its own requests: how endpoints are chosen, its Services say. */
export function readRouteAnnotations(annotations: FieldReader): TrafficSettings {
  checkNames(
    annotations,
    Object.values(names).filter((name) => !name.startsWith('balancer.')),
  )
  return { ...noTrafficSettings, timeouts: readTimeouts(annotations), retries: readRetries(annotations) }
}
