import { describe, expect, test } from 'vitest'
import type { OutlierDetection } from './cluster-config.ts'
import type { Endpoint } from './endpoint.ts'
import { firstRestMs, longestRestMs } from './outlier.ts'
import { countPicks, endpointConfigs, outlierDefaults, testCluster } from './test-clusters.ts'

const none: readonly Endpoint[] = []

function of(count: number, outlier: Partial<OutlierDetection> | 'none' = {}) {
  const outlierDetection = outlier === 'none' ? undefined : { ...outlierDefaults, ...outlier }
  const { cluster } = testCluster(endpointConfigs(Array.from({ length: count }, () => 1)), {
    outlierDetection,
  })
  const { outlier: detector, endpoints } = cluster
  const fail = (at: number, times: number, status = 500, nowMs = 0) => {
    for (let i = 0; i < times; i++) detector.replied(endpoints[at] as Endpoint, status, nowMs, nowMs)
  }
  const states = () => endpoints.map((endpoint) => endpoint.health.state)
  return { cluster, detector, endpoints: endpoints as readonly [Endpoint, Endpoint, Endpoint], fail, states }
}

describe('an endpoint that cannot be connected to', () => {
  test('is out of use, twice as long each time, up to a limit, and each time one request tries it', () => {
    const { cluster, detector, endpoints } = of(2, 'none')
    const [gone] = endpoints
    detector.connectFailed(gone, 0, 0)
    let nowMs = 0
    for (let restMs = firstRestMs; restMs < 4 * longestRestMs; restMs *= 2) {
      const dueMs = nowMs + Math.min(restMs, longestRestMs)
      expect(countPicks(20, () => cluster.pick(dueMs - 1, none, undefined))).toEqual({ '10.0.0.2': 20 })
      expect(cluster.pick(dueMs, none, undefined)).toBe(gone)
      expect(countPicks(20, () => cluster.pick(dueMs, none, undefined))).toEqual({ '10.0.0.2': 20 })
      detector.connectFailed(gone, dueMs, dueMs)
      nowMs = dueMs
    }
    expect(detector.stats.unreachable).toBe(1)
  })

  test('is back in use with the first connection, and the next failure begins anew', () => {
    const { detector, endpoints, states } = of(2, 'none')
    const [first] = endpoints
    detector.connectFailed(first, 0, 0)
    detector.connectFailed(first, 200, 200)
    detector.connected(first, 201)
    expect(states()).toEqual(['in-use', 'in-use'])
    detector.connectFailed(first, 300, 300)
    expect(detector.nextProbeMs).toBe(300 + firstRestMs)
  })

  test('rests no longer for attempts that were under way at the first failure', () => {
    const { detector, endpoints } = of(2, 'none')
    detector.connectFailed(endpoints[0], 0, 10)
    for (let i = 0; i < 16; i++) detector.connectFailed(endpoints[0], 5, 11)
    expect(detector.nextProbeMs).toBe(10 + firstRestMs)
  })

  test('is tried all the same when there is no other', () => {
    const { cluster, detector, endpoints } = of(2, 'none')
    for (const endpoint of endpoints) detector.connectFailed(endpoint, 0, 0)
    expect(Object.keys(countPicks(50, () => cluster.pick(1, none, undefined)))).toHaveLength(2)
  })

  test('is tried anew when it comes back: how fast it was is forgotten', () => {
    const { detector, endpoints } = of(2, 'none')
    endpoints[0].observe(4_000, 0)
    detector.connectFailed(endpoints[0], 0, 0)
    detector.connected(endpoints[0], 0)
    expect(endpoints[0].latencyMs(0)).toBe(0)
  })
})

describe('failures in a row', () => {
  test('eject an endpoint; a success in between begins anew', () => {
    const { fail, states, detector } = of(3)
    fail(0, 4)
    fail(0, 1, 200)
    fail(0, 4)
    expect(states()).toEqual(['in-use', 'in-use', 'in-use'])
    fail(0, 1)
    expect(states()).toEqual(['ejected', 'in-use', 'in-use'])
    expect(detector.stats.ejections['consecutive-failures']).toBe(1)
  })

  test('a connection that breaks is one, a reply with 4xx is none', () => {
    const { detector, endpoints, fail, states } = of(3)
    for (let i = 0; i < 5; i++) detector.broken(endpoints[0], 0, 0)
    fail(1, 10, 404)
    expect(states()).toEqual(['ejected', 'in-use', 'in-use'])
  })

  test("a gateway's are counted by themselves", () => {
    const { fail, states, detector } = of(3, {
      consecutiveFailures: undefined,
      consecutiveGatewayFailures: { count: 3, enforcingPercent: 100 },
    })
    fail(0, 10, 500)
    fail(1, 2, 503)
    fail(1, 1, 500)
    fail(1, 2, 503)
    expect(states()).toEqual(['in-use', 'in-use', 'in-use'])
    fail(1, 1, 504)
    expect(states()).toEqual(['in-use', 'ejected', 'in-use'])
    expect(detector.stats.ejections['consecutive-gateway-failures']).toBe(1)
  })

  test('failed connections are counted as such where that is configured, else with the others', () => {
    const apart = of(3, { consecutiveLocalFailures: { count: 2, enforcingPercent: 100 } })
    const together = of(3, { consecutiveFailures: { count: 2, enforcingPercent: 100 } })
    for (const { detector, endpoints } of [apart, together]) {
      detector.connectFailed(endpoints[0], 0, 0)
      detector.connectFailed(endpoints[0], 100, 100)
    }
    expect(apart.detector.stats.ejections['consecutive-local-failures']).toBe(1)
    expect(together.detector.stats.ejections['consecutive-failures']).toBe(1)
    expect(apart.states()[0]).toBe('ejected')
  })

  test('are judged in as many cases as is enforced', () => {
    const { fail, states } = of(3, { consecutiveFailures: { count: 5, enforcingPercent: 0 } })
    fail(0, 50)
    expect(states()).toEqual(['in-use', 'in-use', 'in-use'])
  })

  test('nobody is ejected without outlier detection', () => {
    const { fail, states } = of(3, 'none')
    fail(0, 100)
    expect(states()).toEqual(['in-use', 'in-use', 'in-use'])
  })
})

describe('an ejected endpoint', () => {
  test('gets one real request when its time is over; its success brings it back', () => {
    const { cluster, fail, endpoints, states, detector } = of(2)
    fail(0, 5)
    expect(countPicks(20, () => cluster.pick(29_999, none, undefined))).toEqual({ '10.0.0.2': 20 })
    expect(cluster.pick(30_000, none, undefined)).toBe(endpoints[0])
    expect(countPicks(20, () => cluster.pick(30_001, none, undefined))).toEqual({ '10.0.0.2': 20 })
    detector.replied(endpoints[0], 200, 30_000, 30_050)
    expect(states()).toEqual(['in-use', 'in-use'])
    expect(Object.keys(countPicks(20, () => cluster.pick(30_051, none, undefined)))).toHaveLength(2)
  })

  test('stays out twice as long when that request fails, up to the limit', () => {
    const { cluster, fail, endpoints, detector } = of(2, { baseEjectionMs: 1_000, maxEjectionMs: 5_000 })
    fail(0, 5)
    let nowMs = 0
    for (const ejectionMs of [1_000, 2_000, 4_000, 5_000, 5_000]) {
      expect(detector.nextProbeMs).toBe(nowMs + ejectionMs)
      nowMs += ejectionMs
      expect(cluster.pick(nowMs, none, undefined)).toBe(endpoints[0])
      detector.replied(endpoints[0], 503, nowMs, nowMs)
    }
  })

  test('is not judged by replies to what was sent before', () => {
    const { fail, endpoints, states, detector } = of(2)
    fail(0, 5, 500, 1_000)
    detector.replied(endpoints[0], 200, 900, 1_100)
    expect(states()[0]).toBe('ejected')
    expect(detector.nextProbeMs).toBe(31_000)
  })

  test('is tried by the next request when the one that tried it was given up', () => {
    const { cluster, fail, endpoints, detector } = of(2)
    fail(0, 5)
    expect(cluster.pick(30_000, none, undefined)).toBe(endpoints[0])
    detector.cancelled(endpoints[0], 30_000, 30_100)
    expect(cluster.pick(30_100, none, undefined)).toBe(endpoints[0])
  })

  test('is tried again when nothing is ever heard of that request', () => {
    const { cluster, fail, endpoints } = of(2)
    fail(0, 5)
    expect(cluster.pick(30_000, none, undefined)).toBe(endpoints[0])
    expect(cluster.pick(60_000, none, undefined)).toBe(endpoints[0])
  })

  test('makes up for an ejection by every interval in use', () => {
    const { cluster, fail, endpoints, detector } = of(2, { baseEjectionMs: 1_000 })
    fail(0, 5)
    cluster.pick(1_000, none, undefined)
    detector.replied(endpoints[0], 500, 1_000, 1_000)
    cluster.pick(3_000, none, undefined)
    detector.replied(endpoints[0], 200, 3_000, 3_000)
    // Two ejections, one of them made up for.
    fail(0, 5, 500, 13_000)
    expect(detector.nextProbeMs).toBe(15_000)
  })

  test('is out for up to the jitter longer', () => {
    const { fail, detector } = of(2, { ejectionJitterMs: 1_000 })
    fail(0, 5)
    expect(detector.nextProbeMs).toBeGreaterThan(30_000)
    expect(detector.nextProbeMs).toBeLessThan(31_000)
  })

  test('is back at once when outlier detection is taken out of the configuration', () => {
    const { cluster, fail, states } = of(2)
    fail(0, 5)
    cluster.reconfigure({ ...cluster.config, outlierDetection: undefined })
    expect(states()).toEqual(['in-use', 'in-use'])
    expect(Object.keys(countPicks(20, () => cluster.pick(1, none, undefined)))).toHaveLength(2)
  })

  test('gets no request of its hash but the one that tries it', () => {
    const { cluster, endpoints, detector } = of(2)
    cluster.reconfigure({
      ...cluster.config,
      balancing: {
        algorithm: { kind: 'maglev', tableSize: 251 },
        slowStart: undefined,
        zonePreference: 'hints',
      },
    })
    const hash = Array.from({ length: 251 }, (_, i) => i).find(
      (candidate) => cluster.pick(0, none, candidate) === endpoints[0],
    )
    for (let i = 0; i < 5; i++) detector.replied(endpoints[0], 500, 0, 0)
    expect(cluster.pick(1, none, hash)).toBe(endpoints[1])
    expect(cluster.pick(30_000, none, hash)).toBe(endpoints[0])
    expect(cluster.pick(30_000, none, hash)).toBe(endpoints[1])
  })
})

describe('the share of ejected endpoints', () => {
  test('is limited, and what is spared is counted', () => {
    const { fail, states, detector } = of(5, { maxEjectionPercent: 40 })
    for (let at = 0; at < 5; at++) fail(at, 5)
    expect(states()).toEqual(['ejected', 'ejected', 'in-use', 'in-use', 'in-use'])
    expect(detector.stats.spared).toBe(3)
  })

  test('may be one endpoint however small it is, if so configured', () => {
    const one = of(3, { maxEjectionPercent: 10, alwaysEjectOne: true })
    const not = of(3, { maxEjectionPercent: 10, alwaysEjectOne: false })
    for (const { fail } of [one, not]) for (const at of [0, 1]) fail(at, 5)
    expect(one.states()).toEqual(['ejected', 'in-use', 'in-use'])
    expect(not.states()).toEqual(['in-use', 'in-use', 'in-use'])
  })

  test('is overlooked in a panic, when too few are left', () => {
    const { cluster, fail } = of(4, { panicPercent: 50 })
    fail(0, 5)
    fail(1, 5)
    expect(cluster.panicking).toBe(false)
    fail(2, 5)
    expect(cluster.panicking).toBe(true)
    expect(Object.keys(countPicks(100, () => cluster.pick(1, none, undefined)))).toHaveLength(4)
  })

  test('may be everybody without a panic: then nobody is picked until it is time to try', () => {
    const { cluster, fail, endpoints } = of(2)
    fail(0, 5)
    fail(1, 5)
    expect(cluster.pick(1, none, undefined)).toBeUndefined()
    expect(cluster.pick(30_000, none, undefined)).toBe(endpoints[0])
  })
})

describe('the success rate', () => {
  const sample = { minEndpoints: 3, minRequests: 10, enforcingPercent: 100 }
  const rule = { consecutiveFailures: undefined, intervalMs: 10_000 }

  test('below the limit ejects, once an interval', () => {
    const { fail, states, detector } = of(3, {
      ...rule,
      failurePercentage: { ...sample, thresholdPercent: 20 },
    })
    // The first analysis, with nothing to judge, begins the interval.
    fail(0, 1, 200)
    for (const at of [1, 2]) fail(at, 10, 200)
    fail(0, 12, 200)
    fail(0, 4)
    expect(states()).toEqual(['in-use', 'in-use', 'in-use'])
    fail(1, 1, 200, 10_000)
    expect(states()).toEqual(['ejected', 'in-use', 'in-use'])
    expect(detector.stats.ejections['failure-percentage']).toBe(1)
  })

  test('is judged by a shorter interval from the moment that it is configured', () => {
    const settings = { ...rule, failurePercentage: { ...sample, thresholdPercent: 20 } }
    const { fail, states, detector } = of(3, settings)
    fail(0, 1, 200)
    detector.configure({ ...outlierDefaults, ...settings, intervalMs: 500 }, 100)
    for (const at of [1, 2]) fail(at, 10, 200, 100)
    fail(0, 12, 500, 100)
    expect(states()).toEqual(['in-use', 'in-use', 'in-use'])
    fail(1, 1, 200, 600)
    expect(states()).toEqual(['ejected', 'in-use', 'in-use'])
  })

  test('far below the mean of the others ejects', () => {
    const { fail, states, detector } = of(5, { ...rule, successRate: { ...sample, stdevFactor: 1.9 } })
    fail(0, 1, 200)
    for (const at of [1, 2, 3, 4]) fail(at, 20, 200)
    fail(0, 10, 200)
    fail(0, 10)
    fail(1, 1, 200, 10_000)
    expect(states()).toEqual(['ejected', 'in-use', 'in-use', 'in-use', 'in-use'])
    expect(detector.stats.ejections['success-rate']).toBe(1)
  })

  test('of too few requests or endpoints says nothing', () => {
    const few = of(3, { ...rule, failurePercentage: { ...sample, thresholdPercent: 20 } })
    few.fail(0, 1, 200)
    few.fail(0, 9)
    for (const at of [1, 2]) few.fail(at, 20, 200)
    few.fail(1, 1, 200, 10_000)
    expect(few.states()[0]).toBe('in-use')
  })
})
