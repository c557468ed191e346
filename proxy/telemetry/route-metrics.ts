/** What routes did, under Linkerd's names (features.md 1.1): by rule, and by rule and backend. Read at scrape. */
import type { Registry } from '../../core/metrics.ts'
import { histogramSamples, registerFamily, type Sample, summed } from './golden-metrics.ts'
import { type GoldenStats, latencyBucketsMs, replyOf } from './golden-stats.ts'
import { isOfBackend, type RouteStatsTable, withoutBackend } from './route-stats.ts'
import type { Labels } from './series-table.ts'

const boundsSeconds = latencyBucketsMs.map((bound) => bound / 1000)

function durationSamples(name: string, labels: Labels, stats: GoldenStats): readonly Sample[] {
  const { latencyCounts: counts, latencySumMs, latencyCount: count } = stats
  return histogramSamples(name, labels, { bounds: boundsSeconds, counts, sum: latencySumMs / 1000, count })
}

function statusSamples(labels: Labels, { responses }: GoldenStats): readonly Sample[] {
  return [...responses].map(([key, value]) => {
    const { status, grpcStatus } = replyOf(key)
    const call = grpcStatus === undefined ? {} : { grpc_status: grpcStatus }
    return { labels: { ...labels, http_status: status, ...call }, value }
  })
}

export function registerRouteMetrics(registry: Registry, table: RouteStatsTable): void {
  /** Of a rule, whatever the backend. */
  const byRule = (of: (labels: Labels, stats: GoldenStats) => readonly Sample[]) => () =>
    summed(table.all().flatMap((stats) => of(withoutBackend(stats.labels), stats)))
  const byBackend = (of: (labels: Labels, stats: GoldenStats) => readonly Sample[]) => () =>
    table.all().flatMap((stats) => (isOfBackend(stats.labels) ? of(stats.labels, stats) : []))
  const requestDuration = 'outbound_http_route_request_duration_seconds'
  const responseDuration = 'outbound_http_route_backend_response_duration_seconds'
  registerFamily(registry, {
    name: requestDuration,
    help: "Time from a request's head to its reply's head, retries included, by route",
    type: 'histogram',
    samples: byRule((labels, stats) => durationSamples(requestDuration, labels, stats)),
  })
  registerFamily(registry, {
    name: 'outbound_http_route_request_statuses_total',
    help: 'Requests answered, by route and status',
    type: 'counter',
    samples: byRule(statusSamples),
  })
  registerFamily(registry, {
    name: 'outbound_http_route_backend_requests_total',
    help: 'Attempts at requests, by route and the backend that the last one went to',
    type: 'counter',
    samples: byBackend((labels, { requests, retries }) => [{ labels, value: requests + retries }]),
  })
  registerFamily(registry, {
    name: responseDuration,
    help: "Time from a request's head to its reply's head, by route and backend",
    type: 'histogram',
    samples: byBackend((labels, stats) => durationSamples(responseDuration, labels, stats)),
  })
  registerFamily(registry, {
    name: 'outbound_http_route_backend_response_statuses_total',
    help: 'Requests answered, by route, backend and status',
    type: 'counter',
    samples: byBackend(statusSamples),
  })
}
