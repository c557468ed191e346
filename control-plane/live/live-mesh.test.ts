import { describe, expect, it } from 'vitest'
import { latencyBoundsMs } from '../../api/latency-bounds.ts'
import { mtlsOpenConnectionsMetric } from '../../api/xds/load-metrics.ts'
import { LoadSum, quantileMs } from './load-figures.ts'
import { LiveMeshModel, maxLoads, maxLoadsOfOne } from './live-mesh.ts'
import { reportedLoad } from './load-report.ts'

const name = (service: string): string => `${service}.shop.svc.cluster.local:8080`
const workload = (pod: string) => ({ namespace: 'shop', name: pod, kind: 'Pod' })

function load(apex: string, backend: string, succeeded: number, failed = 0) {
  return reportedLoad({
    clusterName: name(apex),
    clusterServiceName: name(backend),
    upstreamLocalityStats: [
      { totalSuccessfulRequests: succeeded, totalErrorRequests: failed },
      { locality: { zone: 'b' }, totalActiveConnections: 2 },
    ],
    loadReportInterval: { seconds: 1 },
  })
}

describe('the live picture', () => {
  it('sums the pods of a workload, and tells rates by the time that each reported on', () => {
    const live = new LiveMeshModel()
    for (const requests of [10, 30]) {
      const pod = live.join(workload('web'), undefined, 0)
      for (let second = 1; second <= 4; second++)
        live.report(pod, [load('catalog', 'catalog-v2', requests, requests)], second * 1000)
    }
    const { edges } = live.snapshot(4_500)
    expect(edges).toHaveLength(1)
    expect(edges[0]).toMatchObject({
      apex: { namespace: 'shop', name: 'catalog', port: 8080 },
      backend: { name: 'catalog-v2' },
      requestsPerSecond: 80,
      successRatio: 0.5,
      openConnections: 4,
    })
  })

  it('takes a stock client for what it says, without latencies', () => {
    const live = new LiveMeshModel()
    const client = live.join(workload('grpc'), undefined, 0)
    live.report(
      client,
      [
        reportedLoad({
          clusterName: name('catalog'),
          upstreamLocalityStats: [{ totalSuccessfulRequests: 5 }],
        }),
      ],
      2_000,
    )
    expect(live.snapshot(2_000).edges[0]).toMatchObject({
      backend: { name: 'catalog' },
      requestsPerSecond: 2.5,
      p99Ms: null,
      mtlsRatio: 0,
    })
  })

  it('shows connections without requests for as long as they are open, and how they are protected', () => {
    const live = new LiveMeshModel()
    const pod = live.join(workload('web'), undefined, 0)
    const open = (connections: number) => [
      reportedLoad({
        clusterName: name('db'),
        upstreamLocalityStats: [
          {
            totalActiveConnections: connections,
            loadMetricStats: [
              { metricName: mtlsOpenConnectionsMetric, numRequestsFinishedWithMetric: connections },
            ],
          },
        ],
      }),
    ]
    for (let second = 1; second <= 60; second++) live.report(pod, open(3), second * 1_000)
    expect(live.snapshot(60_500).edges).toMatchObject([
      { requestsPerSecond: 0, openConnections: 3, mtlsRatio: 1 },
    ])
    for (let second = 61; second <= 75; second++) live.report(pod, [], second * 1_000)
    expect(live.snapshot(75_500).edges).toEqual([])
  })

  it('forgets what does not move, and what a reporter said once it has gone', () => {
    const live = new LiveMeshModel()
    const pod = live.join(workload('web'), undefined, 0)
    live.report(pod, [load('catalog', 'catalog', 5)], 1_000)
    expect(live.snapshot(30_000).edges).toEqual([])
    live.snapshot(60_000)
    expect(live.loads).toBe(0)
    live.report(pod, [load('catalog', 'catalog', 5)], 61_000)
    live.leave(pod)
    expect([live.loads, live.reporters, live.snapshot(61_500).edges.length]).toEqual([0, 0, 0])
  })

  it('stays bounded: by loads of one, and of all; and 10,000 workloads report rarer', () => {
    const live = new LiveMeshModel()
    const greedy = live.join(workload('greedy'), undefined, 0)
    live.report(
      greedy,
      Array.from({ length: 3_000 }, (_, i) => load(`s${i}`, `s${i}`, 1)),
      1_000,
    )
    expect(live.loads).toBe(maxLoadsOfOne)
    const targets = Array.from({ length: 11 }, (_, i) => load(`s${i}`, `s${i}`, 1))
    for (let i = 0; i < 10_000; i++) live.report(live.join(workload(`w${i}`), undefined, 0), targets, 1_000)
    expect(live.loads).toBe(maxLoads)
    expect(live.overflowed).toBeGreaterThan(10_000)
    expect(live.intervalMs).toBeGreaterThanOrEqual(10_000)
    expect(live.windowMs).toBeGreaterThanOrEqual(4 * live.intervalMs)
  })
})

describe('a quantile', () => {
  it('is interpolated within its bucket, and ends at the last bound', () => {
    const sum = new LoadSum()
    expect(quantileMs(sum, 0.5)).toBeNull()
    sum.latencyCounts = new Float64Array(latencyBoundsMs.length + 1)
    sum.latencyCounts[5] = 10 // 5 to 10 ms
    expect(quantileMs(sum, 0.5)).toBe(7.5)
    sum.latencyCounts[latencyBoundsMs.length] = 90
    expect(quantileMs(sum, 0.99)).toBe(50_000)
  })
})
