/** A Cluster's circuit_breakers and outlier_detection; what they leave out has Envoy's defaults. */
import type { Cluster } from '../../api/xds/types.ts'
import type { ClusterLimits, OutlierDetection } from '../cluster/cluster-config.ts'
import { durationMs } from './duration.ts'
import type { Problems } from './problems.ts'
import { unwrap } from './wrapper.ts'

type Uint = { readonly value?: number | undefined } | undefined
type Outlier = NonNullable<Cluster['outlierDetection']>

const defaultQueueTimeoutMs = 1_000

/** Undefined without circuit_breakers for the default priority, the only one that there is. */
export function decodeLimits(
  cluster: Cluster,
  queueTimeoutMs: number | undefined,
  problems: Problems,
): ClusterLimits | undefined {
  const breakers = cluster.circuitBreakers
  if (breakers?.perHostThresholds !== undefined)
    problems.add('circuit_breakers.per_host_thresholds', 'is not supported')
  const found = breakers?.thresholds?.find(({ priority = 'DEFAULT' }) => priority === 'DEFAULT')
  if (found === undefined) return undefined
  const budget = found.retryBudget
  return {
    maxConnections: unwrap(found.maxConnections, 1024),
    maxPending: unwrap(found.maxPendingRequests, 1024),
    maxRequests: unwrap(found.maxRequests, 1024),
    maxRetries: unwrap(found.maxRetries, 3),
    retryBudget:
      budget === undefined
        ? undefined
        : {
            percent: unwrap(budget.budgetPercent, 20),
            minConcurrency: unwrap(budget.minRetryConcurrency, 3),
          },
    queueTimeoutMs: queueTimeoutMs ?? defaultQueueTimeoutMs,
  }
}

/** A rule that is set to be carried out in some share of the cases at least. */
function enforced<T>(
  enforcing: Uint,
  usualPercent: number,
  rule: T,
): (T & { enforcingPercent: number }) | undefined {
  const enforcingPercent = unwrap(enforcing, usualPercent)
  return enforcingPercent === 0 ? undefined : { ...rule, enforcingPercent }
}

function inARow(count: Uint, usual: number, enforcing: Uint, usualPercent: number) {
  const rule = { count: unwrap(count, usual) }
  return rule.count === 0 ? undefined : enforced(enforcing, usualPercent, rule)
}

/** Counted apart even where nothing comes of it. */
function localInARow(outlier: Outlier): OutlierDetection['consecutiveLocalFailures'] {
  const { consecutiveLocalOriginFailure: count, enforcingConsecutiveLocalOriginFailure: enforcing } = outlier
  return inARow(count, 5, enforcing, 100) ?? { count: Number.POSITIVE_INFINITY, enforcingPercent: 0 }
}

function successRates(outlier: Outlier): Pick<OutlierDetection, 'successRate' | 'failurePercentage'> {
  return {
    successRate: enforced(outlier.enforcingSuccessRate, 100, {
      minEndpoints: unwrap(outlier.successRateMinimumHosts, 5),
      minRequests: unwrap(outlier.successRateRequestVolume, 100),
      // Envoy's field is in thousandths.
      stdevFactor: unwrap(outlier.successRateStdevFactor, 1_900) / 1_000,
    }),
    failurePercentage: enforced(outlier.enforcingFailurePercentage, 0, {
      minEndpoints: unwrap(outlier.failurePercentageMinimumHosts, 5),
      minRequests: unwrap(outlier.failurePercentageRequestVolume, 50),
      thresholdPercent: unwrap(outlier.failurePercentageThreshold, 85),
    }),
  }
}

export function decodeOutlierDetection(cluster: Cluster): OutlierDetection | undefined {
  const outlier = cluster.outlierDetection
  if (outlier === undefined) return undefined
  const baseEjectionMs = durationMs(outlier.baseEjectionTime) ?? 30_000
  const split = outlier.splitExternalLocalOriginErrors === true
  return {
    consecutiveFailures: inARow(outlier.consecutive_5xx, 5, outlier.enforcingConsecutive_5xx, 100),
    consecutiveGatewayFailures: inARow(
      outlier.consecutiveGatewayFailure,
      5,
      outlier.enforcingConsecutiveGatewayFailure,
      0,
    ),
    consecutiveLocalFailures: split ? localInARow(outlier) : undefined,
    ...successRates(outlier),
    intervalMs: durationMs(outlier.interval) ?? 10_000,
    baseEjectionMs,
    maxEjectionMs: Math.max(baseEjectionMs, durationMs(outlier.maxEjectionTime) ?? 300_000),
    ejectionJitterMs: durationMs(outlier.maxEjectionTimeJitter) ?? 0,
    maxEjectionPercent: unwrap(outlier.maxEjectionPercent, 10),
    alwaysEjectOne: outlier.alwaysEjectOneHost?.value ?? false,
    panicPercent: unwrap(cluster.commonLbConfig?.healthyPanicThreshold, 50),
  }
}
