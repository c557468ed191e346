/** Puts the limits of a sidecar together: what settings ask for, and what the machine lets it have. */
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { Registry } from '../core/metrics.ts'
import type { DataPath } from './data-path.ts'
import type { DataPathOptions } from './data-path-options.ts'
import { cpuShareOfThread } from './overload/cpu-share.ts'
import { OverloadMonitor } from './overload/overload-monitor.ts'
import {
  cgroupCpuLimit,
  cgroupMemoryLimit,
  collectGarbage,
  connectionsFor,
  descriptorLimit,
} from './overload/process-limits.ts'
import { keepGivingBackPages } from './overload/unused-pages.ts'
import type { ProxySettings } from './settings.ts'
import { registerOverloadMetrics } from './telemetry/overload-metrics.ts'

export function clientLimits(
  settings: ProxySettings,
  log: Log,
): Pick<DataPathOptions, 'clientTimeouts' | 'maxConnections'> {
  const { headTimeout, idleTimeout, streamIdleTimeout, maxConnections: asked } = settings
  const descriptors = descriptorLimit()
  const maxConnections = connectionsFor(descriptors, asked)
  if (asked !== undefined && maxConnections < asked)
    log.warn(
      { asked, taken: maxConnections, descriptors },
      'fewer connections than asked for are taken: there are too few file descriptors',
    )
  return {
    clientTimeouts: { headMs: headTimeout, idleMs: idleTimeout, streamIdleMs: streamIdleTimeout },
    maxConnections,
  }
}

/** Begins to watch the event loop and the memory, and to give back what of it nobody uses; ends with the process. */
export function watchOverload(
  settings: ProxySettings,
  log: Log,
  clock: Clock,
  limits: Pick<DataPath, 'admission' | 'connectionLimit'>,
  registry: Registry,
): void {
  const monitor = new OverloadMonitor({
    clock,
    admission: limits.admission,
    shedLagMs: settings.overloadLag,
    cpuShare: cpuShareOfThread(cgroupCpuLimit()),
    memoryLimitBytes: settings.memoryLimit ?? cgroupMemoryLimit(),
    memoryBytes: () => process.memoryUsage.rss(),
    reclaim: collectGarbage,
    onChange: (change) => log.warn(change, change.step === 0 ? 'overload is over' : 'overload'),
  })
  registerOverloadMetrics(registry, limits, monitor)
  monitor.start()
  keepGivingBackPages(clock)
}
