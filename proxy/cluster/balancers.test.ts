/** What every balancer has to do, whichever it is. */
import { describe, expect, test } from 'vitest'
import type { BalancingAlgorithm } from './cluster-config.ts'
import { plainEndpoint } from './cluster-config.ts'
import type { Endpoint } from './endpoint.ts'
import { hash32 } from './hash.ts'
import { countPicks, endpointConfigs, testCluster } from './test-clusters.ts'

const algorithms: readonly BalancingAlgorithm[] = [
  { kind: 'peak-ewma', decayMs: 10_000, defaultLatencyMs: 30 },
  { kind: 'least-request', choices: 2 },
  { kind: 'round-robin' },
  { kind: 'random' },
  { kind: 'ring-hash', minRingSize: 4096, maxRingSize: 8192 },
  { kind: 'maglev', tableSize: 65_537 },
]
const none: readonly Endpoint[] = []
const picks = 20_000

describe.each(algorithms)('$kind', (algorithm) => {
  const affine = algorithm.kind === 'ring-hash' || algorithm.kind === 'maglev'
  const of = (weights: readonly number[]) =>
    testCluster(endpointConfigs(weights), {
      balancing: { algorithm, slowStart: undefined, zonePreference: 'disabled' },
    }).cluster
  /** Requests that nothing holds back: each is over before the next. */
  const pickMany = (cluster: ReturnType<typeof of>, avoid = none) =>
    countPicks(picks, (i) => cluster.pick(0, avoid, hash32(`user-${i}`)))

  test('an empty cluster has nobody to pick', () => {
    expect(of([]).pick(0, none, 1)).toBeUndefined()
  })

  test('a single endpoint gets everything, tried or not', () => {
    const cluster = of([1])
    expect(pickMany(cluster)).toEqual({ '10.0.0.1': picks })
    expect(cluster.pick(0, cluster.endpoints, 1)?.config.address).toBe('10.0.0.1')
  })

  test('equal endpoints get equal shares', () => {
    const counts = pickMany(of([1, 1, 1, 1, 1]))
    for (const count of Object.values(counts)) expect(count / picks).toBeCloseTo(1 / 5, affine ? 1 : 1.7)
    expect(Object.keys(counts)).toHaveLength(5)
  })

  test('shares follow weights', () => {
    const counts = pickMany(of([1, 3, 6]))
    expect((counts['10.0.0.1'] ?? 0) / picks).toBeGreaterThan(0.07)
    expect((counts['10.0.0.1'] ?? 0) / picks).toBeLessThan(0.13)
    expect((counts['10.0.0.2'] ?? 0) / picks).toBeGreaterThan(0.26)
    expect((counts['10.0.0.2'] ?? 0) / picks).toBeLessThan(0.34)
  })

  test('weights are relative: equal large ones are equal', () => {
    const counts = pickMany(of([100, 100]))
    expect((counts['10.0.0.1'] ?? 0) / picks).toBeGreaterThan(0.45)
    expect((counts['10.0.0.1'] ?? 0) / picks).toBeLessThan(0.55)
  })

  test('those that were tried are picked only when nothing else is left', () => {
    const cluster = of([1, 1, 1])
    const [first, second] = cluster.endpoints as readonly [Endpoint, Endpoint]
    expect(Object.keys(pickMany(cluster, [first])).toSorted()).toEqual(['10.0.0.2', '10.0.0.3'])
    expect(Object.keys(pickMany(cluster, [first, second]))).toEqual(['10.0.0.3'])
    expect(cluster.pick(0, cluster.endpoints, 7)).toBeDefined()
  })

  test('an endpoint that left is not picked, one that joined is, and those that stay keep their state', () => {
    const cluster = of([1, 1, 1])
    const before = cluster.endpoints
    cluster.setEndpoints([...endpointConfigs([1, 1]), plainEndpoint('10.0.0.9', 80)])
    expect(cluster.endpoints.slice(0, 2)).toEqual(before.slice(0, 2))
    expect(cluster.endpoints[0]).toBe(before[0])
    expect(Object.keys(pickMany(cluster)).toSorted()).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.9'])
  })

  test('a change of weight leaves an endpoint what it was', () => {
    const cluster = of([1, 1])
    const before = [...cluster.endpoints]
    cluster.setEndpoints(endpointConfigs([1, 9]))
    expect(cluster.endpoints).toEqual(before)
    expect(cluster.endpoints[1]).toBe(before[1])
    const counts = pickMany(cluster)
    expect((counts['10.0.0.2'] ?? 0) / picks).toBeGreaterThan(0.85)
    expect((counts['10.0.0.2'] ?? 0) / picks).toBeLessThan(0.95)
  })

  test('endpoints out of use are left out, and the others take their share', () => {
    const cluster = of([1, 1, 1])
    const [gone] = cluster.endpoints as readonly [Endpoint]
    cluster.outlier.connectFailed(gone, 0, 0)
    expect(Object.keys(pickMany(cluster)).toSorted()).toEqual(['10.0.0.2', '10.0.0.3'])
  })

  test('a request without a hash goes somewhere', () => {
    const cluster = of([1, 1, 1])
    const counts = countPicks(300, () => cluster.pick(0, none, undefined))
    expect(Object.keys(counts)).toHaveLength(3)
  })
})

describe.each(algorithms.slice(4))('$kind keeps equal requests together', (algorithm) => {
  const of = (addresses: readonly number[]) =>
    testCluster(
      addresses.map((last) => plainEndpoint(`10.0.0.${last}`, 80)),
      { balancing: { algorithm, slowStart: undefined, zonePreference: 'disabled' } },
    ).cluster
  const users = Array.from({ length: 5_000 }, (_, i) => hash32(`user-${i}`))
  const homes = (cluster: ReturnType<typeof of>) =>
    users.map((hash) => cluster.pick(0, none, hash)?.config.address)
  const moved = (from: readonly unknown[], to: readonly unknown[]) =>
    from.filter((home, i) => home !== to[i]).length / from.length

  test('always at the same endpoint, whatever order the endpoints came in', () => {
    const cluster = of([1, 2, 3, 4])
    expect(homes(cluster)).toEqual(homes(cluster))
    expect(homes(of([3, 1, 4, 2]))).toEqual(homes(cluster))
  })

  test('when an endpoint leaves or joins, few others than its own move', () => {
    const ten = homes(of([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]))
    const nine = homes(of([1, 2, 3, 4, 5, 6, 7, 8, 9]))
    const own = ten.filter((home) => home === '10.0.0.10').length / users.length
    // A ring moves nobody else; maglev gives evenness for a few.
    expect(moved(ten, nine) - own).toBeLessThan(algorithm.kind === 'ring-hash' ? 1e-9 : 0.05)
    expect(own).toBeGreaterThan(0.05)
  })

  test('when an endpoint is out of use only its own move, and they come back', () => {
    const cluster = of([1, 2, 3, 4, 5])
    const before = homes(cluster)
    const [first] = cluster.endpoints as readonly [Endpoint]
    cluster.outlier.connectFailed(first, 0, 0)
    const during = homes(cluster)
    expect(moved(before, during)).toBeCloseTo(
      before.filter((home) => home === '10.0.0.1').length / users.length,
    )
    const spread = new Set(during.filter((_, i) => before[i] === '10.0.0.1'))
    expect(spread.size).toBe(4)
    cluster.outlier.connected(first, 1)
    expect(homes(cluster)).toEqual(before)
  })
})

test('round robin takes turns smoothly, and goes on where it was after an update', () => {
  const { cluster } = testCluster(endpointConfigs([5, 1, 1]), {
    balancing: { algorithm: { kind: 'round-robin' }, slowStart: undefined, zonePreference: 'disabled' },
  })
  const turns = (count: number) =>
    Array.from({ length: count }, () => cluster.pick(0, none, undefined)?.config.address.at(-1)).join('')
  // nginx's own example.
  expect(turns(7)).toBe('1121311')
  expect(turns(3)).toBe('112')
  cluster.setEndpoints(endpointConfigs([5, 1, 1]))
  expect(turns(4)).toBe('1311')
})

test('peak EWMA sends less to a slow endpoint, least request to a busy one, and round robin to neither', () => {
  const shareOfFirst = (algorithm: BalancingAlgorithm, burden: (endpoint: Endpoint) => void) => {
    const { cluster } = testCluster(endpointConfigs([1, 1, 1, 1]), {
      balancing: { algorithm, slowStart: undefined, zonePreference: 'disabled' },
    })
    burden(cluster.endpoints[0] as Endpoint)
    return (countPicks(4_000, () => cluster.pick(0, none, undefined))['10.0.0.1'] ?? 0) / 4_000
  }
  const slow = (endpoint: Endpoint) => endpoint.observe(2_000, 0)
  const busy = (endpoint: Endpoint) => {
    for (let i = 0; i < 10; i++) endpoint.begin(0)
  }
  const [ewma, least, roundRobin] = algorithms as readonly [
    BalancingAlgorithm,
    BalancingAlgorithm,
    BalancingAlgorithm,
  ]
  expect(shareOfFirst(ewma, slow)).toBe(0)
  expect(shareOfFirst(ewma, busy)).toBe(0)
  expect(shareOfFirst(least, slow)).toBeGreaterThan(0.2)
  // Only when it is drawn twice.
  expect(shareOfFirst(least, busy)).toBeLessThan(0.1)
  expect(shareOfFirst(roundRobin, busy)).toBe(0.25)
})
