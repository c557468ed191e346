/** LRS's ClusterStats -> load by names. What a client does not tell, as a stock one, is zero. Pure. */
import { latencyBoundsMs } from '../../api/latency-bounds.ts'
import {
  latencyBucketMetrics,
  mtlsConnectionsMetric,
  mtlsOpenConnectionsMetric,
  mtlsRequestsMetric,
} from '../../api/xds/load-metrics.ts'
import type { Messages } from '../../api/xds/messages.ts'
import { LoadSum } from './load-figures.ts'

type ClusterStats = Messages['envoy.config.endpoint.v3.ClusterStats']
type LocalityStats = Messages['envoy.config.endpoint.v3.UpstreamLocalityStats']

export type ReportedLoad = {
  readonly apex: string
  readonly backend: string
  readonly sum: LoadSum
  readonly openConnections: number
  /** Those of opaque bytes. */
  readonly mtlsOpenConnections: number
}

const bucketOf = new Map(latencyBucketMetrics.map((name, i) => [name, i]))

/** Broken or hostile numbers count as none. */
function count(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) && value > 0 ? value : 0
}

function addLocality(stats: LocalityStats, sum: LoadSum): void {
  sum.succeeded += count(stats.totalSuccessfulRequests)
  sum.failed += count(stats.totalErrorRequests)
  sum.connections += count(stats.totalNewConnections)
  for (const { metricName = '', numRequestsFinishedWithMetric } of stats.loadMetricStats ?? []) {
    const value = count(numRequestsFinishedWithMetric)
    const bucket = bucketOf.get(metricName)
    if (metricName === mtlsRequestsMetric) sum.mtlsRequests += value
    else if (metricName === mtlsConnectionsMetric) sum.mtlsConnections += value
    else if (bucket !== undefined) {
      const counts = (sum.latencyCounts ??= new Float64Array(latencyBoundsMs.length + 1))
      counts[bucket] = (counts[bucket] as number) + value
    }
  }
}

/** What one cluster of a report says; clusters by whose load nobody can be found are for the caller to leave out. */
export function reportedLoad(stats: ClusterStats): ReportedLoad {
  const sum = new LoadSum()
  const { seconds = 0, nanos = 0 } = stats.loadReportInterval ?? {}
  sum.intervalMs = count(seconds * 1000 + nanos / 1e6)
  let [openConnections, mtlsOpenConnections] = [0, 0]
  for (const locality of stats.upstreamLocalityStats ?? []) {
    addLocality(locality, sum)
    openConnections += count(locality.totalActiveConnections)
    for (const { metricName, numRequestsFinishedWithMetric } of locality.loadMetricStats ?? [])
      if (metricName === mtlsOpenConnectionsMetric)
        mtlsOpenConnections += count(numRequestsFinishedWithMetric)
  }
  // What never reached an endpoint failed all the same.
  sum.failed += count(stats.totalDroppedRequests)
  const apex = stats.clusterName ?? ''
  return { apex, backend: stats.clusterServiceName || apex, sum, openConnections, mtlsOpenConnections }
}
