import { describe, expect, test } from 'vitest'
import { type Balancing, defaultBalancing, type EndpointConfig, plainEndpoint } from './cluster-config.ts'
import type { Endpoint } from './endpoint.ts'
import { countPicks, testCluster } from './test-clusters.ts'
import { nearShare } from './zone-preference.ts'

const none: readonly Endpoint[] = []

function endpoints(zones: readonly string[], hints: readonly (readonly string[])[] = []): EndpointConfig[] {
  return zones.map((zone, i) => ({
    ...plainEndpoint(`10.0.0.${i + 1}`, 80),
    zone,
    forZones: hints[i] ?? [],
  }))
}

function addresses(cluster: ReturnType<typeof testCluster>['cluster']): readonly string[] {
  return Object.keys(countPicks(400, () => cluster.pick(1, none, undefined))).toSorted()
}

const balancing = (zonePreference: Balancing['zonePreference']) => ({
  balancing: { ...defaultBalancing, zonePreference },
})

describe('hints', () => {
  const all = endpoints(['a', 'a', 'b'], [['a'], ['a', 'b'], ['b']])

  test('keep requests at the endpoints that are meant for the own zone', () => {
    expect(addresses(testCluster(all, balancing('hints'), 'a').cluster)).toEqual(['10.0.0.1', '10.0.0.2'])
    expect(addresses(testCluster(all, balancing('hints'), 'b').cluster)).toEqual(['10.0.0.2', '10.0.0.3'])
  })

  test('count only if every endpoint has some, and some are for the own zone', () => {
    const partly = endpoints(['a', 'a', 'b'], [['a'], ['a'], []])
    expect(addresses(testCluster(partly, balancing('hints'), 'a').cluster)).toHaveLength(3)
    expect(addresses(testCluster(all, balancing('hints'), 'c').cluster)).toHaveLength(3)
    expect(addresses(testCluster(all, balancing('hints'), '').cluster)).toHaveLength(3)
  })

  test('are overlooked if so configured', () => {
    expect(addresses(testCluster(all, balancing('disabled'), 'a').cluster)).toHaveLength(3)
  })
})

describe('the same zone', () => {
  const all = endpoints(['a', 'a', 'a', 'a', 'b'])

  test('is preferred once it is known, and the next one when the sidecar is in another', () => {
    let zone = ''
    const { cluster } = testCluster(all, balancing('same-zone'), () => zone)
    expect(addresses(cluster)).toHaveLength(5)
    zone = 'b'
    cluster.moved()
    expect(addresses(cluster)).toEqual(['10.0.0.5'])
    zone = 'a'
    cluster.moved()
    expect(addresses(cluster)).not.toContain('10.0.0.5')
  })

  test('is preferred by where the endpoints are', () => {
    expect(addresses(testCluster(all, balancing('same-zone'), 'b').cluster)).toEqual(['10.0.0.5'])
  })

  test('spills over to the others what it cannot take any more', () => {
    const { cluster } = testCluster(all, balancing('same-zone'), 'a')
    const [first, second] = cluster.endpoints as readonly [Endpoint, Endpoint]
    cluster.outlier.connectFailed(first, 0, 0)
    expect(addresses(cluster)).not.toContain('10.0.0.5')
    cluster.outlier.connectFailed(second, 0, 0)
    // Two of four, trusted with 1.4 times their share: the rest is 30 %.
    const counts = countPicks(10_000, () => cluster.pick(1, none, undefined))
    expect((counts['10.0.0.5'] ?? 0) / 10_000).toBeCloseTo(0.3, 1)
    for (const endpoint of cluster.endpoints.slice(2, 4)) cluster.outlier.connectFailed(endpoint, 0, 0)
    expect(addresses(cluster)).toEqual(['10.0.0.5'])
  })

  test('is left by a retry when everything in it was tried', () => {
    const { cluster } = testCluster(endpoints(['a', 'b', 'b']), balancing('same-zone'), 'a')
    expect(cluster.pick(0, none, undefined)?.config.address).toBe('10.0.0.1')
    expect(cluster.pick(0, cluster.endpoints.slice(0, 1), undefined)?.config.zone).toBe('b')
  })

  test('is counted', () => {
    const { cluster } = testCluster(endpoints(['a', 'b']), balancing('same-zone'), 'a')
    for (let i = 0; i < 3; i++) cluster.pick(0, none, undefined)
    cluster.pick(0, cluster.endpoints.slice(0, 1), undefined)
    expect(cluster.zoneStats).toEqual({ near: 3, far: 1 })
  })
})

test('the near share falls only below five of seven', () => {
  expect(nearShare(5, 7)).toBe(1)
  expect(nearShare(4, 7)).toBeCloseTo(0.8)
  expect(nearShare(0, 7)).toBe(0)
})
