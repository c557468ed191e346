/** Connections under Linkerd's names: by side (`peer="src"`), and by whom their bytes were passed on to (`peer="dst"`). */
import type { Registry } from '../../core/metrics.ts'
import type { DataPath } from '../data-path.ts'
import { histogramSamples, registerFamily, type Sample } from './golden-metrics.ts'
import { latencyBucketsMs } from './golden-stats.ts'
import { sumOf, type TcpStats } from './tcp-stats.ts'

const directions = ['inbound', 'outbound'] as const
type SideStats = DataPath['serveStats']['inbound']

/** `ofSide` gives what is counted of all connections with clients, `ofPeer` of those passed on. */
type TcpFamily = {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly ofSide: (stats: SideStats) => number
  readonly ofPeer: (stats: TcpStats) => readonly Sample[]
}

function single(read: (stats: TcpStats) => number): TcpFamily['ofPeer'] {
  return (stats) => [{ labels: stats.labels, value: read(stats) }]
}

const families: readonly TcpFamily[] = [
  {
    name: 'tcp_open_total',
    help: 'Connections accepted from clients, and opened for opaque bytes',
    type: 'counter',
    ofSide: (stats) => stats.opened,
    ofPeer: single((stats) => stats.opened),
  },
  {
    name: 'tcp_close_total',
    help: 'Those that are over; failure is what was broken off',
    type: 'counter',
    ofSide: (stats) => stats.closed,
    ofPeer: ({ labels, completed, broken }) => [
      { labels: { ...labels, classification: 'success' }, value: completed },
      { labels: { ...labels, classification: 'failure' }, value: broken },
    ],
  },
  {
    name: 'tcp_open_connections',
    help: 'Those that are open',
    type: 'gauge',
    ofSide: (stats) => stats.opened - stats.closed,
    ofPeer: single((stats) => stats.opened - stats.closed),
  },
  {
    name: 'tcp_read_bytes_total',
    help: 'Bytes of opaque connections and tunnels that the peer has sent',
    type: 'counter',
    ofSide: ({ live, readBytes }) => sumOf(live, 'toUpstreamBytes', readBytes),
    ofPeer: single((stats) => stats.readBytes),
  },
  {
    name: 'tcp_write_bytes_total',
    help: 'Bytes of opaque connections and tunnels that the peer was sent',
    type: 'counter',
    ofSide: ({ live, writtenBytes }) => sumOf(live, 'toClientBytes', writtenBytes),
    ofPeer: single((stats) => stats.writtenBytes),
  },
]

const duration = 'tcp_connection_duration_ms'

function durationSamples(stats: TcpStats): Sample[] {
  const { labels, durationCounts: counts, durationSumMs: sum, closed: count } = stats
  return histogramSamples(duration, labels, { bounds: latencyBucketsMs, counts, sum, count })
}

export function registerTcpMetrics(registry: Registry, { serveStats, tcp, egress }: DataPath): void {
  for (const { ofSide, ofPeer, ...family } of families)
    registerFamily(registry, {
      ...family,
      samples: () => [
        ...directions.map((direction) => ({
          labels: { direction, peer: 'src' },
          value: ofSide(serveStats[direction]),
        })),
        ...tcp.all().flatMap(ofPeer),
      ],
    })
  registerFamily(registry, {
    name: duration,
    help: 'From the client being accepted to the end of both directions',
    type: 'histogram',
    samples: () => tcp.all().flatMap(durationSamples),
  })
  for (const direction of directions)
    registerFamily(registry, {
      name: `${direction}_tcp_errors_total`,
      help: 'Connections that could not be passed on, by the code of why',
      type: 'counter',
      samples: () =>
        [...serveStats[direction].tcpErrors].map(([error, value]) => ({ labels: { error }, value })),
    })
  registerFamily(registry, {
    name: 'tcp_detection_timeouts_total',
    help: 'Connections whose protocol was not known in time, and that were passed on as opaque bytes',
    type: 'counter',
    samples: () =>
      directions.map((direction) => ({ labels: { direction }, value: serveStats[direction].detectTimeouts })),
  })
  registerFamily(registry, {
    name: 'outbound_tcp_passthrough_total',
    help: 'Connections to destinations that the mesh does not know',
    type: 'counter',
    samples: () => [{ labels: {}, value: egress.passthrough.connections }],
  })
}
