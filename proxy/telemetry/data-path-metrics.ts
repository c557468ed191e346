/** Connections, pools and the odd ends of the data path, read at scrape. */
import type { Registry } from '../../core/metrics.ts'
import { version } from '../../core/version.ts'
import type { DataPath } from '../data-path.ts'
import { registerAccessMetrics } from './access-metrics.ts'
import { registerClusterMetrics } from './cluster-metrics.ts'
import { registerFamily, registerGoldenMetrics } from './golden-metrics.ts'
import { registerPolicyMetrics } from './policy-metrics.ts'
import { registerRouteMetrics } from './route-metrics.ts'
import { registerTcpMetrics } from './tcp-metrics.ts'

const directions = ['inbound', 'outbound'] as const

export function registerDataPathMetrics(registry: Registry, dataPath: DataPath): void {
  registerFamily(registry, {
    name: 'proxy_build_info',
    help: "Version of the sidecar, under Linkerd's name; always 1",
    type: 'gauge',
    samples: () => [{ labels: { version }, value: 1 }],
  })
  registerGoldenMetrics(registry, dataPath.golden)
  registerRouteMetrics(registry, dataPath.routes)
  registerTcpMetrics(registry, dataPath)
  registerFamily(registry, {
    name: 'http_violations_total',
    help: 'Requests refused as malformed',
    type: 'counter',
    samples: () =>
      directions.map((direction) => ({
        labels: { direction, peer: 'src' },
        value: dataPath.serveStats[direction].violations,
      })),
  })
  registerEgressMetrics(registry, dataPath)
  registerFlagMetrics(registry, dataPath)
  registerMirrorMetrics(registry, dataPath)
  registerPoolMetrics(registry, dataPath)
  registerPolicyMetrics(registry, dataPath)
  registerAccessMetrics(registry, dataPath.accessCounts)
  registerClusterMetrics(registry, dataPath.clusters)
}

function registerEgressMetrics(registry: Registry, dataPath: DataPath): void {
  registerFamily(registry, {
    name: 'outbound_passthrough_total',
    help: 'Requests to destinations that the mesh does not know',
    type: 'counter',
    samples: () => [{ labels: {}, value: dataPath.egress.passthrough.count }],
  })
  registerFamily(registry, {
    name: 'outbound_denied_total',
    help: 'Requests to destinations that the mesh does not know, refused (--outbound-policy deny)',
    type: 'counter',
    samples: () => [{ labels: {}, value: dataPath.denied }],
  })
  registerFamily(registry, {
    name: 'dns_lookups_total',
    help: 'Look-ups of the names that clusters lead to',
    type: 'counter',
    samples: () => [
      { labels: { outcome: 'resolved' }, value: dataPath.egress.lookUps.resolved },
      { labels: { outcome: 'failed' }, value: dataPath.egress.lookUps.failed },
    ],
  })
}

function registerFlagMetrics(registry: Registry, dataPath: DataPath): void {
  registerFamily(registry, {
    name: 'response_flags_total',
    help: "Exchanges that something was wrong with, by Envoy's response flags",
    type: 'counter',
    samples: () =>
      directions.flatMap((direction) =>
        [...dataPath.serveStats[direction].flags].map(([flag, value]) => ({
          labels: { direction, flag },
          value,
        })),
      ),
  })
}

function registerMirrorMetrics(registry: Registry, dataPath: DataPath): void {
  registerFamily(registry, {
    name: 'outbound_http_mirror_total',
    help: 'Copies of requests, by what became of them',
    type: 'counter',
    samples: () =>
      [...dataPath.mirrorStats.all()].flatMap(([cluster, { answered, failed, tooLarge, dropped }]) => [
        { labels: { cluster, outcome: 'answered' }, value: answered },
        { labels: { cluster, outcome: 'failed' }, value: failed },
        { labels: { cluster, outcome: 'too_large' }, value: tooLarge },
        { labels: { cluster, outcome: 'dropped' }, value: dropped },
      ]),
  })
}

function registerPoolMetrics(registry: Registry, dataPath: DataPath): void {
  const pools = () =>
    [...dataPath.clusters.all()].flatMap((cluster) =>
      cluster.endpoints.map((endpoint) => ({ cluster: cluster.name, stats: endpoint.pool.stats })),
    )
  const summed = (read: (stats: ReturnType<typeof pools>[number]['stats']) => number) => () => {
    const byCluster = new Map<string, number>()
    for (const { cluster, stats } of pools())
      byCluster.set(cluster, (byCluster.get(cluster) ?? 0) + read(stats))
    return [...byCluster].map(([cluster, value]) => ({ labels: { cluster }, value }))
  }
  registerFamily(registry, {
    name: 'pool_connections',
    help: 'Connections to the endpoints of a cluster',
    type: 'gauge',
    samples: summed((stats) => stats.open),
  })
  registerFamily(registry, {
    name: 'pool_idle_connections',
    help: 'Those of them that wait for a request',
    type: 'gauge',
    samples: summed((stats) => stats.idle),
  })
  registerFamily(registry, {
    name: 'pool_connect_failures_total',
    help: 'Connections to present endpoints that could not be opened',
    type: 'counter',
    samples: summed((stats) => stats.failed),
  })
}
