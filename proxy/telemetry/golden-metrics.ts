/** Shows the plain numbers of the data path to prom-client; everything here runs at scrape, nothing per request. */
import type { Registry } from '../../core/metrics.ts'
import { type GoldenStats, type GoldenStatsTable, latencyBucketsMs, replyOf } from './golden-stats.ts'

export type Sample = {
  readonly metricName?: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

/** One family whose samples are made at scrape. */
export type Family = {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly samples: () => readonly Sample[]
}

/** prom-client's registry takes any object with `get`; this one computes instead of storing. */
export function registerFamily(registry: Registry, family: Family): void {
  const metric = {
    name: family.name,
    get: () =>
      Promise.resolve({
        name: family.name,
        help: family.help,
        type: family.type,
        values: family.samples(),
        aggregator: 'sum',
      }),
    reset: () => undefined,
  }
  registry.registerMetric(metric as unknown as Parameters<Registry['registerMetric']>[0])
}

/** Samples of the same labels are added up: each comes once. */
export function summed(samples: readonly Sample[]): readonly Sample[] {
  const byKey = new Map<string, Sample>()
  for (const sample of samples) {
    const key = `${sample.metricName ?? ''} ${JSON.stringify(sample.labels)}`
    byKey.set(key, { ...sample, value: sample.value + (byKey.get(key)?.value ?? 0) })
  }
  return [...byKey.values()]
}

function responseSamples(all: readonly GoldenStats[]): Sample[] {
  return all.flatMap((stats) =>
    [...stats.responses].map(([key, value]) => {
      const { status, grpcStatus, failed } = replyOf(key)
      const classification = failed ? 'failure' : 'success'
      const call = grpcStatus === undefined ? {} : { grpc_status_code: grpcStatus }
      return { labels: { ...stats.labels, status_code: status, classification, ...call }, value }
    }),
  )
}

/** `counts` are not cumulative, and one more than the bounds. */
export type HistogramNumbers = {
  readonly bounds: readonly number[]
  readonly counts: Uint32Array
  readonly sum: number
  readonly count: number
}

export function histogramSamples(
  name: string,
  labels: Sample['labels'],
  { bounds, counts, sum, count }: HistogramNumbers,
): Sample[] {
  let cumulative = 0
  const samples: Sample[] = bounds.map((bound, i) => {
    cumulative += counts[i] as number
    return { metricName: `${name}_bucket`, labels: { ...labels, le: bound }, value: cumulative }
  })
  samples.push(
    { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  )
  return samples
}

/** The latency of one label set under any name and labels. */
export function latencySamples(name: string, labels: Sample['labels'], stats: GoldenStats): Sample[] {
  const { latencyCounts: counts, latencySumMs: sum, latencyCount: count } = stats
  return histogramSamples(name, labels, { bounds: latencyBucketsMs, counts, sum, count })
}

/** Linkerd's golden families (features.md 1.1) over all label sets that were used. */
export function registerGoldenMetrics(registry: Registry, table: GoldenStatsTable): void {
  registerFamily(registry, {
    name: 'request_total',
    help: 'Requests, by who they came from or went to',
    type: 'counter',
    samples: () => table.all().map((stats) => ({ labels: stats.labels, value: stats.requests })),
  })
  registerFamily(registry, {
    name: 'response_total',
    help: 'Replies by status; failure is a status of 500 or more, and of gRPC what the server failed at',
    type: 'counter',
    samples: () => responseSamples(table.all()),
  })
  registerFamily(registry, {
    name: 'response_latency_ms',
    help: "Time from a request's head to its reply's head",
    type: 'histogram',
    samples: () => table.all().flatMap((stats) => latencySamples('response_latency_ms', stats.labels, stats)),
  })
  registerFamily(registry, {
    name: 'request_retries_total',
    help: 'Attempts beyond the first',
    type: 'counter',
    samples: () => table.all().map((stats) => ({ labels: stats.labels, value: stats.retries })),
  })
}
