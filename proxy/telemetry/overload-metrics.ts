/** How close the sidecar is to its limits and what that has cost, read at scrape. */
import type { Registry } from '../../core/metrics.ts'
import type { DataPath } from '../data-path.ts'
import type { OverloadMonitor } from '../overload/overload-monitor.ts'
import { registerFamily } from './golden-metrics.ts'

export function registerOverloadMetrics(
  registry: Registry,
  { connectionLimit, admission }: Pick<DataPath, 'connectionLimit' | 'admission'>,
  monitor: OverloadMonitor,
): void {
  const value = (name: string, type: 'gauge' | 'counter', help: string, read: () => number): void =>
    registerFamily(registry, { name, help, type, samples: () => [{ labels: {}, value: read() }] })
  registerFamily(registry, {
    name: 'overload_step',
    help: '0: none, 1: connections are not kept alive, 2: new requests are refused',
    type: 'gauge',
    samples: () => [
      { labels: { resource: 'event_loop' }, value: monitor.lagStep },
      { labels: { resource: 'memory' }, value: monitor.memoryStep },
    ],
  })
  value('overload_lag_seconds', 'gauge', 'How late the event loop was last', () => monitor.lagMs / 1000)
  value(
    'overload_memory_share',
    'gauge',
    'Resident memory as a share of its limit; 0 when there is no limit',
    () => monitor.memoryShare,
  )
  value('overload_shed_requests_total', 'counter', 'Requests refused in overload', () => admission.shed)
  value(
    'overload_closed_connections_total',
    'counter',
    'Connections that were not kept alive in overload',
    () => admission.closed,
  )
  value('tcp_connections_limit', 'gauge', 'Client connections that are taken at most', () =>
    Number.isFinite(connectionLimit.max) ? connectionLimit.max : 0,
  )
  value(
    'tcp_refused_connections_total',
    'counter',
    'Client connections closed at once because there were too many',
    () => connectionLimit.refused,
  )
}
