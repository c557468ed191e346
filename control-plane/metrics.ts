/** What the control plane counts about itself. */
import { Counter, Gauge, Histogram } from 'prom-client'
import type { Registry } from '../core/metrics.ts'
import type { Provider } from './providers/provider.ts'
import type { PushStats } from './xds/subscriber.ts'

type Family = readonly [name: string, help: string, read: () => number]

export function registerControlPlaneMetrics(
  registry: Registry,
  stats: PushStats,
  provider: Pick<Provider, 'refused' | 'watchSilenceMs'>,
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
  registerConvergence(registry, stats)
  registerWatchSilence(registry, provider)
}

/** A push within a second of a change is what the design promises; the rest shows how far off it is. */
const convergenceBucketsSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

function registerConvergence(registry: Registry, stats: PushStats): void {
  const convergence = new Histogram({
    name: 'weft_xds_convergence_seconds',
    help: 'From a change being known to a client having accepted all that it was sent of it',
    buckets: convergenceBucketsSeconds,
    registers: [registry],
  })
  stats.onConverged = (elapsedMs) => convergence.observe(elapsedMs / 1000)
}

/** The API server sends a bookmark every minute or so: more than that is a watch that lags. */
function registerWatchSilence(registry: Registry, provider: Pick<Provider, 'watchSilenceMs'>): void {
  new Gauge({
    name: 'weft_watch_silence_seconds',
    help: 'Since the API server last told something of a kind of object, bookmarks included',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [kind, ms] of provider.watchSilenceMs ?? []) this.set({ kind }, ms / 1000)
    },
  })
}
