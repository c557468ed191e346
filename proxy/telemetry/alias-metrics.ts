/**
 * The golden metrics once more under the names of OSM and Istio (features.md 1.2, 1.3), for dashboards and for Flagger's
 * `osm` and `smi:*` queries. Off unless asked for: each costs as many series as the first names. Computed at scrape.
 */
import { parseSpiffeId } from '../../api/spiffe.ts'
import type { Registry } from '../../core/metrics.ts'
import { latencySamples, registerFamily, type Sample } from './golden-metrics.ts'
import type { GoldenStats, GoldenStatsTable } from './golden-stats.ts'

export type MetricAliases = 'off' | 'osm' | 'istio' | 'all'

/** Whose sidecar this is. */
export type OwnWorkload = {
  readonly namespace: string
  readonly pod: string
  readonly kind: string
  readonly name: string
}

type Naming = {
  readonly requests: string
  readonly duration: string
  /** undefined: not shown under this name. */
  readonly labels: (stats: GoldenStats, own: OwnWorkload) => Readonly<Record<string, string>> | undefined
}

/** What a certificate says of a peer: the name of its service account stands for that of its workload. */
function workloadOf(principal: string | undefined): { readonly namespace: string; readonly name: string } {
  const id = principal === undefined ? undefined : parseSpiffeId(principal)
  return { namespace: id?.namespace ?? 'unknown', name: id?.serviceAccount ?? 'unknown' }
}

/** OSM counts at the client, of a destination that tells about itself; here the destination counts. */
const osm: Naming = {
  requests: 'osm_request_total',
  duration: 'osm_request_duration_ms',
  labels: ({ labels }, own) => {
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
  labels: ({ labels }, own) => {
    const common = {
      request_protocol: 'http',
      connection_security_policy: labels['tls'] === 'true' ? 'mutual_tls' : 'none',
    }
    if (labels['direction'] === 'inbound') {
      const source = workloadOf(labels['client_id'])
      return {
        reporter: 'destination',
        source_workload: source.name,
        source_workload_namespace: source.namespace,
        source_principal: labels['client_id'] ?? 'unknown',
        destination_workload: own.name,
        destination_workload_namespace: own.namespace,
        ...common,
      }
    }
    const destination = workloadOf(labels['server_id'])
    return {
      reporter: 'source',
      source_workload: own.name,
      source_workload_namespace: own.namespace,
      destination_workload: destination.name,
      destination_workload_namespace: destination.namespace,
      destination_principal: labels['server_id'] ?? 'unknown',
      destination_service: (labels['authority'] ?? '').replace(/:\d+$/, ''),
      destination_service_name: labels['dst_service'] ?? 'unknown',
      destination_service_namespace: labels['dst_namespace'] ?? 'unknown',
      ...common,
    }
  },
}

const namings = { off: [], osm: [osm], istio: [istio], all: [osm, istio] } as const

/** Label sets that are one under the other names (two ports, say) are added up: a sample comes once. */
function summed(samples: readonly Sample[]): readonly Sample[] {
  const byKey = new Map<string, Sample>()
  for (const sample of samples) {
    const key = `${sample.metricName ?? ''} ${JSON.stringify(sample.labels)}`
    byKey.set(key, { ...sample, value: sample.value + (byKey.get(key)?.value ?? 0) })
  }
  return [...byKey.values()]
}

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
          const named = labels(stats, own)
          return named === undefined ? [] : of(stats, named)
        }),
      )
    registerFamily(registry, {
      name: requests,
      help: 'request_total under another name (--metric-aliases)',
      type: 'counter',
      samples: samples(({ responses }, named) =>
        [...responses].map(([status, value]) => ({ labels: { ...named, response_code: status }, value })),
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
