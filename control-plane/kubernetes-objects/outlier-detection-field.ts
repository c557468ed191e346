/** A TrafficPolicy's `outlierDetection`. */
import {
  defaultOutlierDetection,
  defaultSuccessRate,
  type OutlierDetectionSettings,
  type SuccessRateSettings,
} from '../model/traffic-settings.ts'
import type { FieldReader } from './field-reader.ts'

const maxInARow = 10_000

function readSuccessRate(field: FieldReader): SuccessRateSettings | undefined {
  if (!field.present) return undefined
  field.only(['thresholdPercent', 'stdevFactor', 'minRequests', 'minEndpoints'])
  const defaults = defaultSuccessRate
  return {
    thresholdPercent: field.at('thresholdPercent').number(0, 100),
    stdevFactor: field.at('stdevFactor').number(0.1, 100) ?? defaults.stdevFactor,
    minRequests: field.at('minRequests').integer(1, 1_000_000) ?? defaults.minRequests,
    minEndpoints: field.at('minEndpoints').integer(1, 1_000_000) ?? defaults.minEndpoints,
  }
}

/** Zero: not counted. */
function readInARow(field: FieldReader): number | undefined {
  return field.integer(0, maxInARow) || undefined
}

export function readOutlierDetection(field: FieldReader): OutlierDetectionSettings | undefined {
  if (!field.present) return undefined
  field.only([
    'consecutiveFailures',
    'consecutiveGatewayFailures',
    'consecutiveLocalFailures',
    'successRate',
    'interval',
    'baseEjection',
    'maxEjection',
    'ejectionJitter',
    'maxEjectionPercent',
    'panicPercent',
  ])
  const defaults = defaultOutlierDetection
  const failures = field.at('consecutiveFailures')
  const baseEjectionMs = field.at('baseEjection').durationMs() ?? defaults.baseEjectionMs
  const maxEjectionMs =
    field.at('maxEjection').durationMs() ?? Math.max(baseEjectionMs, defaults.maxEjectionMs)
  if (maxEjectionMs < baseEjectionMs) field.at('maxEjection').problem('must not be shorter than baseEjection')
  return {
    consecutiveFailures: failures.present ? readInARow(failures) : defaults.consecutiveFailures,
    consecutiveGatewayFailures: readInARow(field.at('consecutiveGatewayFailures')),
    consecutiveLocalFailures: readInARow(field.at('consecutiveLocalFailures')),
    successRate: readSuccessRate(field.at('successRate')),
    intervalMs: field.at('interval').durationMs() ?? defaults.intervalMs,
    baseEjectionMs,
    maxEjectionMs,
    ejectionJitterMs: field.at('ejectionJitter').durationMs('zero') ?? baseEjectionMs / 10,
    maxEjectionPercent: field.at('maxEjectionPercent').integer(0, 100) ?? defaults.maxEjectionPercent,
    panicPercent: field.at('panicPercent').integer(0, 100) ?? defaults.panicPercent,
  }
}
