/** What the control plane counts about itself. */
import { Counter, Gauge } from 'prom-client'
import type { Registry } from '../core/metrics.ts'
import type { PushStats } from './xds/subscriber.ts'

type Family = readonly [name: string, help: string, read: () => number]

export function registerControlPlaneMetrics(
  registry: Registry,
  stats: PushStats,
  provider: { readonly refused: readonly string[] },
): void {
  const gauges: readonly Family[] = [
    ['weft_xds_streams', 'Clients that are connected', () => stats.streams],
    [
      'weft_config_refused',
      'Files or objects whose newest content is refused',
      () => provider.refused.length,
    ],
  ]
  const counters: readonly Family[] = [
    ['weft_xds_pushes_total', 'Responses sent', () => stats.pushes],
    ['weft_xds_resources_total', 'Resources in them', () => stats.resources],
    ['weft_xds_acks_total', 'Responses accepted', () => stats.acks],
    ['weft_xds_nacks_total', 'Responses refused', () => stats.nacks],
  ]
  const registers = [registry]
  for (const [name, help, read] of gauges) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }
  for (const [name, help, read] of counters) {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  }
}
