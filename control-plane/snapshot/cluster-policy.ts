/** Traffic settings -> how a Cluster balances, what it lets through, and whom it leaves out. */
import { type Any, pack } from '../../api/xds/codec.ts'
import { toDuration } from '../../api/xds/duration.ts'
import type { Messages } from '../../api/xds/messages.ts'
import type { Cluster } from '../../api/xds/types.ts'
import {
  type BalancerSettings,
  type BalancingAlgorithm,
  type ConnectionPoolSettings,
  defaultBalancer,
  defaultRetries,
  type OutlierDetectionSettings,
  type RetrySettings,
  type SlowStartSettings,
  type TrafficSettings,
} from '../model/traffic-settings.ts'
import type { ClientKind } from './client-kind.ts'

const extensions = 'envoy.extensions.load_balancing_policies'
type SlowStart = Messages['envoy.extensions.load_balancing_policies.common.v3.SlowStartConfig']
type Locality = Messages['envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig']

function slowStart(settings: SlowStartSettings | undefined): SlowStart | undefined {
  if (settings === undefined) return undefined
  const { windowMs, minWeightPercent, aggression } = settings
  return {
    slowStartWindow: toDuration(windowMs),
    minWeightPercent: { value: minWeightPercent },
    // Envoy insists on a key.
    aggression: { defaultValue: aggression, runtimeKey: 'weft.slow_start.aggression' },
  }
}

/** Hints need nothing here: they come with the endpoints. */
function locality({ zonePreference }: BalancerSettings): Locality | undefined {
  return zonePreference === 'same-zone'
    ? { zoneAwareLbConfig: { routingEnabled: { value: 100 }, minClusterSize: { value: 1 } } }
    : undefined
}

function policy(name: string, typedConfig: Any) {
  return { typedExtensionConfig: { name: `envoy.load_balancing_policies.${name}`, typedConfig } }
}

function leastRequest(balancer: BalancerSettings, choices: number) {
  const config = {
    choiceCount: { value: choices },
    slowStartConfig: slowStart(balancer.slowStart),
    localityLbConfig: locality(balancer),
  }
  return policy('least_request', pack(`${extensions}.least_request.v3.LeastRequest`, config))
}

function peakEwma(
  balancer: BalancerSettings,
  { decayMs, defaultLatencyMs }: Extract<BalancingAlgorithm, { kind: 'peak-ewma' }>,
) {
  const typedConfig = pack('weft.load_balancing.v1.PeakEwma', {
    decay: toDuration(decayMs),
    defaultLatency: toDuration(defaultLatencyMs),
    slowStartConfig: slowStart(balancer.slowStart),
    localityLbConfig: locality(balancer),
  })
  return { typedExtensionConfig: { name: 'weft.load_balancing.peak_ewma', typedConfig } }
}

/** The first policy that a client has is the one it uses; Envoy has no peak EWMA. */
function policies(balancer: BalancerSettings, kind: ClientKind) {
  const { algorithm } = balancer
  switch (algorithm.kind) {
    case 'peak-ewma':
      return kind === 'sidecar' ? [peakEwma(balancer, algorithm)] : [leastRequest(balancer, 2)]
    case 'least-request':
      return [leastRequest(balancer, algorithm.choices)]
    case 'round-robin': {
      const config = { slowStartConfig: slowStart(balancer.slowStart), localityLbConfig: locality(balancer) }
      return [policy('round_robin', pack(`${extensions}.round_robin.v3.RoundRobin`, config))]
    }
    case 'random':
      return [
        policy('random', pack(`${extensions}.random.v3.Random`, { localityLbConfig: locality(balancer) })),
      ]
    case 'ring-hash': {
      const sizes = {
        minimumRingSize: { value: algorithm.minRingSize },
        maximumRingSize: { value: algorithm.maxRingSize },
      }
      return [policy('ring_hash', pack(`${extensions}.ring_hash.v3.RingHash`, sizes))]
    }
    case 'maglev': {
      const config = { tableSize: { value: algorithm.tableSize } }
      return [policy('maglev', pack(`${extensions}.maglev.v3.Maglev`, config))]
    }
  }
}

/** A stock gRPC client knows round robin and rings. */
function grpcBalancing({ algorithm }: BalancerSettings): Partial<Cluster> {
  if (algorithm.kind !== 'ring-hash') return { lbPolicy: 'ROUND_ROBIN' }
  return {
    lbPolicy: 'RING_HASH',
    ringHashLbConfig: {
      minimumRingSize: { value: algorithm.minRingSize },
      maximumRingSize: { value: algorithm.maxRingSize },
    },
  }
}

const unlimited = { value: 2 ** 32 - 1 }

/** Envoy's own limits are on where nothing is said, and would allow for three retries at a time. */
function envoyLimits({ budget }: Pick<RetrySettings, 'budget'>): Cluster['circuitBreakers'] {
  return {
    thresholds: [
      {
        maxConnections: unlimited,
        maxPendingRequests: unlimited,
        maxRequests: unlimited,
        retryBudget: {
          budgetPercent: { value: Math.min(100, budget.ratioPercent) },
          minRetryConcurrency: { value: Math.ceil(budget.minPerSecond) },
        },
      },
    ],
  }
}

function circuitBreakers(pool: ConnectionPoolSettings): Cluster['circuitBreakers'] {
  return {
    thresholds: [
      {
        maxConnections: { value: pool.maxConnections },
        maxPendingRequests: { value: pool.maxPending },
        maxRequests: { value: pool.maxRequests },
        maxRetries: { value: pool.maxRetries },
      },
    ],
  }
}

/** What is not asked for is said to be off, since Envoy's defaults have it on. */
function inARow(count: number | undefined) {
  return count === undefined
    ? { count: undefined, enforcing: { value: 0 } }
    : { count: { value: count }, enforcing: { value: 100 } }
}

function successRate({ successRate: rate }: OutlierDetectionSettings): Cluster['outlierDetection'] {
  const byMean = rate !== undefined && rate.thresholdPercent === undefined
  const byLimit = rate?.thresholdPercent !== undefined
  return {
    enforcingSuccessRate: { value: byMean ? 100 : 0 },
    enforcingFailurePercentage: { value: byLimit ? 100 : 0 },
    ...(byMean && {
      successRateMinimumHosts: { value: rate.minEndpoints },
      successRateRequestVolume: { value: rate.minRequests },
      // In thousandths.
      successRateStdevFactor: { value: Math.round(rate.stdevFactor * 1000) },
    }),
    ...(rate?.thresholdPercent !== undefined && {
      failurePercentageMinimumHosts: { value: rate.minEndpoints },
      failurePercentageRequestVolume: { value: rate.minRequests },
      failurePercentageThreshold: { value: Math.round(100 - rate.thresholdPercent) },
    }),
  }
}

function outlierDetection(settings: OutlierDetectionSettings): Cluster['outlierDetection'] {
  const failures = inARow(settings.consecutiveFailures)
  const gateway = inARow(settings.consecutiveGatewayFailures)
  const local = settings.consecutiveLocalFailures
  return {
    consecutive_5xx: failures.count,
    enforcingConsecutive_5xx: failures.enforcing,
    consecutiveGatewayFailure: gateway.count,
    enforcingConsecutiveGatewayFailure: gateway.enforcing,
    ...(local !== undefined && {
      splitExternalLocalOriginErrors: true,
      consecutiveLocalOriginFailure: { value: local },
      enforcingConsecutiveLocalOriginFailure: { value: 100 },
    }),
    ...successRate(settings),
    interval: toDuration(settings.intervalMs),
    baseEjectionTime: toDuration(settings.baseEjectionMs),
    maxEjectionTime: toDuration(settings.maxEjectionMs),
    maxEjectionTimeJitter: toDuration(settings.ejectionJitterMs),
    maxEjectionPercent: { value: settings.maxEjectionPercent },
    alwaysEjectOneHost: { value: settings.maxEjectionPercent > 0 },
  }
}

/** The fields of a Cluster that a Service's settings decide. */
export function clusterPolicy(settings: TrafficSettings, kind: ClientKind): Partial<Cluster> {
  const balancer = settings.balancer ?? defaultBalancer
  const { connectionPool, outlierDetection: outlier } = settings
  return {
    ...(kind === 'grpc'
      ? grpcBalancing(balancer)
      : { loadBalancingPolicy: { policies: policies(balancer, kind) } }),
    ...(kind === 'envoy' && { circuitBreakers: envoyLimits(settings.retries ?? defaultRetries) }),
    ...(connectionPool !== undefined && { circuitBreakers: circuitBreakers(connectionPool) }),
    ...(outlier !== undefined && {
      outlierDetection: outlierDetection(outlier),
      commonLbConfig: { healthyPanicThreshold: { value: outlier.panicPercent } },
    }),
  }
}
