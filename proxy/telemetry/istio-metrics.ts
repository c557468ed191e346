/** Istio's families for bytes and connections (features.md 1.2); its requests and durations are names of our own. */
import type { Registry } from '../../core/metrics.ts'
import { histogramSamples, registerFamily, type Sample, summed } from './golden-metrics.ts'
import type { GoldenStatsTable } from './golden-stats.ts'
import { istioLabels } from './istio-labels.ts'
import { type MessageSizes, sizeBounds } from './message-sizes.ts'
import type { OwnWorkload } from './own-workload.ts'
import type { TcpStats, TcpStatsTable } from './tcp-stats.ts'

const sizeFamilies = [
  ['istio_request_bytes', "Size of requests' bodies", 'requests'],
  ['istio_response_bytes', "Size of replies' bodies", 'replies'],
] as const satisfies readonly (readonly [string, string, keyof MessageSizes])[]

/** Sent is what went to the client, received what came from it. */
const tcpFamilies: readonly (readonly [string, string, (stats: TcpStats) => number])[] = [
  ['istio_tcp_sent_bytes_total', 'Bytes of connections, to clients', (stats) => stats.readBytes],
  ['istio_tcp_received_bytes_total', 'Bytes of connections, from clients', (stats) => stats.writtenBytes],
  ['istio_tcp_connections_opened_total', 'Connections opened', (stats) => stats.opened],
  ['istio_tcp_connections_closed_total', 'Connections that are over', (stats) => stats.closed],
]

export function registerIstioMetrics(
  registry: Registry,
  { golden, tcp }: { readonly golden: GoldenStatsTable; readonly tcp: TcpStatsTable },
  own: OwnWorkload,
): void {
  for (const [name, help, side] of sizeFamilies)
    registerFamily(registry, {
      name,
      help: `${help} (--metric-aliases)`,
      type: 'histogram',
      samples: () =>
        summed(
          golden.all().flatMap(({ labels, sizes }): readonly Sample[] => {
            if (sizes === undefined) return []
            const { counts, sum, count } = sizes[side]
            const numbers = { bounds: sizeBounds, counts, sum, count }
            return histogramSamples(name, istioLabels(labels, own, 'http'), numbers)
          }),
        ),
    })
  for (const [name, help, value] of tcpFamilies)
    registerFamily(registry, {
      name,
      help: `${help} (--metric-aliases)`,
      type: 'counter',
      samples: () =>
        summed(
          tcp.all().map((stats) => ({ labels: istioLabels(stats.labels, own, 'tcp'), value: value(stats) })),
        ),
    })
}
