/** What balancers, circuit breakers and outlier detection decide, read at scrape. */
import type { Registry } from '../../core/metrics.ts'
import { overflowLimits } from '../cluster/circuit-breaker.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { ClusterSet } from '../cluster/cluster-set.ts'
import { ejectionReasons } from '../cluster/outlier.ts'
import { type Family, registerFamily } from './golden-metrics.ts'

type Sample = ReturnType<Family['samples']>[number]

const endpointStates = { 'in-use': 'ready', unreachable: 'unreachable', ejected: 'ejected' } as const

function endpointSamples(cluster: Cluster): readonly Sample[] {
  return Object.entries(endpointStates).map(([state, name]) => ({
    labels: { cluster: cluster.name, endpoint_state: name },
    value: cluster.endpoints.filter((endpoint) => endpoint.health.state === state).length,
  }))
}

function ejectionSamples({ name, outlier: { stats } }: Cluster): readonly Sample[] {
  return ejectionReasons
    .filter((reason) => stats.ejections[reason] > 0)
    .map((reason) => ({ labels: { cluster: name, reason }, value: stats.ejections[reason] }))
}

function overflowSamples({ name, breaker }: Cluster): readonly Sample[] {
  return breaker === undefined
    ? []
    : overflowLimits.map((limit) => ({
        labels: { cluster: name, limit },
        value: breaker.overflows[limit],
      }))
}

function zoneSamples({ name, zoneStats: { near, far } }: Cluster): readonly Sample[] {
  if (near + far === 0) return []
  return [
    { labels: { cluster: name, zone: 'near' }, value: near },
    { labels: { cluster: name, zone: 'far' }, value: far },
  ]
}

export function registerClusterMetrics(registry: Registry, clusters: ClusterSet): void {
  const family = (
    type: Family['type'],
    name: string,
    help: string,
    read: (cluster: Cluster) => readonly Sample[],
  ): void => registerFamily(registry, { name, help, type, samples: () => [...clusters.all()].flatMap(read) })
  const one = (read: (cluster: Cluster) => number) => (cluster: Cluster) => [
    { labels: { cluster: cluster.name }, value: read(cluster) },
  ]
  family(
    'gauge',
    'outbound_http_balancer_endpoints',
    'Endpoints by whether they are sent to',
    endpointSamples,
  )
  family(
    'gauge',
    'outbound_http_balancer_panic',
    '1 while ejections are overlooked',
    one(({ panicking }) => Number(panicking)),
  )
  family(
    'counter',
    'outbound_http_balancer_zone_picks_total',
    'Endpoints picked in and out of the preferred zone',
    zoneSamples,
  )
  family('counter', 'outlier_ejections_total', 'Endpoints put out of use for failing', ejectionSamples)
  family(
    'counter',
    'outlier_ejections_spared_total',
    'Not carried out, because too many were out of use',
    one(({ outlier }) => outlier.stats.spared),
  )
  family(
    'counter',
    'outlier_unreachable_total',
    'Endpoints put out of use because they could not be connected to',
    one(({ outlier }) => outlier.stats.unreachable),
  )
  family(
    'counter',
    'circuit_breaker_overflows_total',
    'Requests turned away by a limit of their cluster',
    overflowSamples,
  )
  family(
    'gauge',
    'circuit_breaker_pending',
    'Requests that wait for a connection',
    one(({ breaker }) => breaker?.pending ?? 0),
  )
}
