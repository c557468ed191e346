/** The metrics registry of a process, with what every process reports about itself. */
import { readdirSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { Counter, Gauge, Registry } from 'prom-client'
import { version } from './version.ts'

export type { Registry } from 'prom-client'

/**
 * A registry with process metrics and `weft_build_info`; `labels` go on every sample. All values are read when
 * scraped, so that a process nobody scrapes spends nothing on them.
 */
export function createRegistry(process: string, labels: Readonly<Record<string, string>> = {}): Registry {
  const registry = new Registry()
  registry.setDefaultLabels(labels)
  addBuildInfo(registry, process)
  addProcessMetrics(registry)
  return registry
}

function addBuildInfo(registry: Registry, component: string): void {
  const labelNames = ['component', 'version', 'node']
  new Gauge({
    name: 'weft_build_info',
    help: 'Version of weft; always 1',
    labelNames,
    registers: [registry],
  }).set({ component, version, node: process.versions.node }, 1)
}

function addProcessMetrics(registry: Registry): void {
  const registers = [registry]
  gauge(registry, 'process_start_time_seconds', 'Start of the process, seconds since the epoch', () =>
    Math.round(performance.timeOrigin / 1000),
  )
  gauge(registry, 'process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss())
  gauge(registry, 'nodejs_heap_used_bytes', 'Heap in use by JavaScript', () => process.memoryUsage().heapUsed)
  gauge(registry, 'process_open_fds', 'Open file descriptors', openFileDescriptors)
  gauge(
    registry,
    'nodejs_eventloop_utilization',
    'Share of time the event loop was busy, since the start',
    () => Number(performance.eventLoopUtilization().utilization.toFixed(6)),
  )
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time',
    registers,
    collect() {
      const { user, system } = process.cpuUsage()
      this.reset()
      this.inc((user + system) / 1e6)
    },
  })
}

function gauge(registry: Registry, name: string, help: string, read: () => number | undefined): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      const value = read()
      if (value !== undefined) this.set(value)
    },
  })
}

function openFileDescriptors(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    // Only Linux has it; elsewhere the metric stays at 0.
    return undefined
  }
}
