/** Which endpoints succeed less often than they should, against a limit or against the others. Pure. */
import type { OutlierDetection, SuccessSample } from './cluster-config.ts'
import type { Endpoint } from './endpoint.ts'
import type { EjectionReason } from './outlier.ts'

type Verdict = {
  readonly endpoint: Endpoint
  readonly reason: EjectionReason
  readonly enforcingPercent: number
}
type Rate = { readonly endpoint: Endpoint; readonly percent: number }

/** The rates of those in use that were asked often enough; none when those are too few to judge. */
function ratesOf(endpoints: readonly Endpoint[], sample: SuccessSample): readonly Rate[] {
  const rates = endpoints
    .filter(({ health }) => health.inUse && health.requests >= sample.minRequests)
    .map((endpoint) => ({
      endpoint,
      percent: (endpoint.health.successes / endpoint.health.requests) * 100,
    }))
  return rates.length < sample.minEndpoints ? [] : rates
}

/** Mean less `factor` standard deviations. */
function lowerLimit(rates: readonly Rate[], factor: number): number {
  const mean = rates.reduce((sum, { percent }) => sum + percent, 0) / rates.length
  const variance = rates.reduce((sum, { percent }) => sum + (percent - mean) ** 2, 0) / rates.length
  return mean - factor * Math.sqrt(variance)
}

export function successRateOutliers(
  endpoints: readonly Endpoint[],
  { successRate, failurePercentage }: OutlierDetection,
): readonly Verdict[] {
  const verdicts: Verdict[] = []
  if (failurePercentage !== undefined) {
    const { thresholdPercent, enforcingPercent } = failurePercentage
    for (const { endpoint, percent } of ratesOf(endpoints, failurePercentage))
      if (100 - percent >= thresholdPercent)
        verdicts.push({ endpoint, reason: 'failure-percentage', enforcingPercent })
  }
  if (successRate !== undefined) {
    const rates = ratesOf(endpoints, successRate)
    const limit = lowerLimit(rates, successRate.stdevFactor)
    for (const { endpoint, percent } of rates)
      if (percent < limit)
        verdicts.push({ endpoint, reason: 'success-rate', enforcingPercent: successRate.enforcingPercent })
  }
  return verdicts
}
