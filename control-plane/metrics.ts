/** What the control plane counts about itself. */
import { Gauge } from 'prom-client'
import type { Registry } from '../core/metrics.ts'
import type { PushStats } from './xds/subscriber.ts'

export function registerControlPlaneMetrics(
  registry: Registry,
  stats: PushStats,
  provider: { readonly brokenFiles: readonly string[] },
): void {
  const families: readonly (readonly [string, string, () => number])[] = [
    ['weft_xds_streams', 'Clients that are connected', () => stats.streams],
    ['weft_xds_pushes_total', 'Responses sent', () => stats.pushes],
    ['weft_xds_resources_total', 'Resources in them', () => stats.resources],
    ['weft_xds_acks_total', 'Responses accepted', () => stats.acks],
    ['weft_xds_nacks_total', 'Responses refused', () => stats.nacks],
    ['weft_config_broken_files', 'Files whose newest content is refused', () => provider.brokenFiles.length],
  ]
  for (const [name, help, read] of families) {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
  }
}
