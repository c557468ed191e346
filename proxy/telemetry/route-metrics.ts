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

type Samples = (labels: Labels, stats: GoldenStats) => readonly Sample[]

/** Linkerd has families of their own for the rules of GRPCRoutes. */
function registerFamilies(registry: Registry, prefix: string, all: () => readonly GoldenStats[]): void {
  /** Of a rule, whatever the backend. */
  const byRule = (of: Samples) => () =>
    summed(all().flatMap((stats) => of(withoutBackend(stats.labels), stats)))
  const byBackend = (of: Samples) => () =>
    all().flatMap((stats) => (isOfBackend(stats.labels) ? of(stats.labels, stats) : []))
  const requestDuration = `${prefix}_request_duration_seconds`
  const responseDuration = `${prefix}_backend_response_duration_seconds`
  registerFamily(registry, {
    name: requestDuration,
    help: "Time from a request's head to its reply's head, retries included, by route",
    type: 'histogram',
    samples: byRule((labels, stats) => durationSamples(requestDuration, labels, stats)),
  })
  registerFamily(registry, {
    name: `${prefix}_request_statuses_total`,
    help: 'Requests answered, by route and status',
    type: 'counter',
    samples: byRule(statusSamples),
  })
  registerFamily(registry, {
    name: `${prefix}_backend_requests_total`,
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
    name: `${prefix}_backend_response_statuses_total`,
    help: 'Requests answered, by route, backend and status',
    type: 'counter',
    samples: byBackend(statusSamples),
  })
}

export function registerRouteMetrics(registry: Registry, table: RouteStatsTable): void {
  const ofGrpc = ({ labels }: GoldenStats): boolean => labels['route_kind'] === 'GRPCRoute'
  registerFamilies(registry, 'outbound_http_route', () => table.all().filter((stats) => !ofGrpc(stats)))
  registerFamilies(registry, 'outbound_grpc_route', () => table.all().filter(ofGrpc))
}
