import { describe, expect, test } from 'vitest'
import { type BalancingAlgorithm, type SlowStart, plainEndpoint } from './cluster-config.ts'
import type { Endpoint } from './endpoint.ts'
import { countPicks, endpointConfigs, testCluster } from './test-clusters.ts'

const none: readonly Endpoint[] = []
const slowStart: SlowStart = { windowMs: 10_000, minWeightPercent: 10, aggression: 1 }
const algorithms: readonly BalancingAlgorithm[] = [
  { kind: 'peak-ewma', decayMs: 10_000, defaultLatencyMs: 30 },
  { kind: 'least-request', choices: 2 },
  { kind: 'round-robin' },
]

function shareOfLast(cluster: ReturnType<typeof testCluster>['cluster'], nowMs: number): number {
  const last = cluster.endpoints.at(-1)?.config.address ?? ''
  return (countPicks(20_000, () => cluster.pick(nowMs, none, undefined))[last] ?? 0) / 20_000
}

describe.each(algorithms)('with $kind', (algorithm) => {
  function joined(more: Partial<SlowStart> = {}) {
    const { cluster, clock } = testCluster(endpointConfigs([1, 1, 1]), {
      balancing: { algorithm, slowStart: { ...slowStart, ...more }, zonePreference: 'disabled' },
    })
    clock.advance(10_000)
    cluster.setEndpoints([...endpointConfigs([1, 1, 1]), plainEndpoint('10.0.0.9', 80)])
    return cluster
  }

  test('an endpoint that joined gets its share little by little', () => {
    const cluster = joined()
    // Its weight is 0.1, 0.5 and 1 beside three of 1.
    expect(shareOfLast(cluster, 10_000)).toBeCloseTo(0.1 / 3.1, 1.7)
    expect(shareOfLast(cluster, 15_000)).toBeCloseTo(0.5 / 3.5, 1.5)
    expect(shareOfLast(cluster, 20_000)).toBeCloseTo(0.25, 1.7)
  })

  test('an endpoint that came back does too', () => {
    const cluster = joined()
    const last = cluster.endpoints.at(-1) as Endpoint
    cluster.outlier.connectFailed(last, 30_000, 30_000)
    cluster.outlier.connected(last, 31_000)
    expect(shareOfLast(cluster, 31_000)).toBeLessThan(0.08)
    expect(shareOfLast(cluster, 41_000)).toBeCloseTo(0.25, 1.7)
  })

  test('aggression gives more of it early', () => {
    expect(shareOfLast(joined({ aggression: 2 }), 12_500)).toBeGreaterThan(
      shareOfLast(joined(), 12_500) + 0.03,
    )
  })
})

test('without slow start an endpoint gets its share at once', () => {
  const { cluster } = testCluster(endpointConfigs([1]))
  cluster.setEndpoints(endpointConfigs([1, 1]))
  expect(shareOfLast(cluster, 0)).toBeCloseTo(0.5, 1.7)
})
