/** Loads -> LRS's ClusterStats. */
import { toDuration } from '../../api/xds/duration.ts'
import {
  latencyBucketMetrics,
  latencyMetric,
  mtlsConnectionsMetric,
  mtlsOpenConnectionsMetric,
  mtlsRequestsMetric,
} from '../../api/xds/load-metrics.ts'
import type { Messages } from '../../api/xds/messages.ts'
import type { Load } from '../telemetry/load-differences.ts'

type ClusterStats = Messages['envoy.config.endpoint.v3.ClusterStats']
type LocalityStats = Messages['envoy.config.endpoint.v3.UpstreamLocalityStats']
type Metric = Messages['envoy.config.endpoint.v3.EndpointLoadMetricStats']

function metric(metricName: string, count: number, total = 0): readonly Metric[] {
  if (count === 0) return []
  return [{ metricName, numRequestsFinishedWithMetric: count, totalMetricValue: total }]
}

function localityStats(load: Load): LocalityStats {
  const ended = load.succeeded + load.failed
  return {
    locality: { zone: load.zone },
    totalSuccessfulRequests: load.succeeded,
    totalErrorRequests: load.failed,
    totalIssuedRequests: ended,
    totalActiveConnections: load.openConnections,
    totalNewConnections: load.connections,
    loadMetricStats: [
      ...metric(latencyMetric, ended, load.latencySumMs),
      ...latencyBucketMetrics.flatMap((name, i) => metric(name, load.latencyCounts[i] as number)),
      ...metric(mtlsRequestsMetric, load.mtlsRequests, load.mtlsRequests),
      ...metric(mtlsConnectionsMetric, load.mtlsConnections, load.mtlsConnections),
      ...metric(mtlsOpenConnectionsMetric, load.mtlsOpenConnections, load.mtlsOpenConnections),
    ],
  }
}

/** One entry for each pair of names, with its zones. */
export function clusterStats(loads: readonly Load[], intervalMs: number): readonly ClusterStats[] {
  const byNames = Map.groupBy(loads, ({ apex, backend }) => `${apex} ${backend}`)
  return [...byNames.values()].map((zones) => {
    const { apex, backend } = zones[0] as Load
    return {
      clusterName: apex,
      clusterServiceName: backend,
      upstreamLocalityStats: zones.map(localityStats),
      loadReportInterval: toDuration(intervalMs),
    }
  })
}
