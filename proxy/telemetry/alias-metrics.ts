/**
 * The golden metrics once more under the names of OSM and Istio (features.md 1.2, 1.3), for dashboards and for Flagger's
 * `osm` and `smi:*` queries. Off unless asked for: each costs as many series as the first names. Computed at scrape.
 */
import type { Registry } from '../../core/metrics.ts'
import { latencySamples, registerFamily, type Sample, summed } from './golden-metrics.ts'
import { type GoldenStats, type GoldenStatsTable, replyOf } from './golden-stats.ts'
import { istioLabels } from './istio-labels.ts'
import { type OwnWorkload, workloadOf } from './own-workload.ts'
import type { Labels } from './series-table.ts'

export type MetricAliases = 'off' | 'osm' | 'istio' | 'all'

type Naming = {
  readonly requests: string
  readonly duration: string
  /** undefined: not shown under this name. */
  readonly labels: (labels: Labels, own: OwnWorkload) => Labels | undefined
}

/** OSM counts at the client, of a destination that tells about itself; here the destination counts. */
const osm: Naming = {
  requests: 'osm_request_total',
  duration: 'osm_request_duration_ms',
  labels: (labels, own) => {
    if (labels['direction'] !== 'inbound') return undefined
    const source = workloadOf(labels['client_id'])
    return {
      source_namespace: source.namespace,
      source_name: source.name,
      destination_namespace: own.namespace,
      destination_kind: own.kind,
      destination_name: own.name,
      destination_pod: own.pod,
    }
  },
}

const istio: Naming = {
  requests: 'istio_requests_total',
  duration: 'istio_request_duration_milliseconds',
  labels: (labels, own) => istioLabels(labels, own, 'http'),
}

/** A call's own status beside HTTP's, as Istio has it. */
function codesOf(key: number): Sample['labels'] {
  const { status, grpcStatus } = replyOf(key)
  return grpcStatus === undefined
    ? { response_code: status }
    : { response_code: status, request_protocol: 'grpc', grpc_response_status: grpcStatus }
}

const namings = { off: [], osm: [osm], istio: [istio], all: [osm, istio] } as const

export function registerAliasMetrics(
  registry: Registry,
  table: GoldenStatsTable,
  own: OwnWorkload,
  aliases: MetricAliases,
): void {
  for (const { requests, duration, labels } of namings[aliases]) {
    const samples = (of: (stats: GoldenStats, labels: Sample['labels']) => readonly Sample[]) => () =>
      summed(
        table.all().flatMap((stats) => {
          const named = labels(stats.labels, own)
          return named === undefined ? [] : of(stats, named)
        }),
      )
    registerFamily(registry, {
      name: requests,
      help: 'request_total under another name (--metric-aliases)',
      type: 'counter',
      samples: samples(({ responses }, named) =>
        [...responses].map(([key, value]) => ({ labels: { ...named, ...codesOf(key) }, value })),
      ),
    })
    registerFamily(registry, {
      name: duration,
      help: 'response_latency_ms under another name (--metric-aliases)',
      type: 'histogram',
      samples: samples((stats, named) => latencySamples(duration, named, stats)),
    })
  }
}
