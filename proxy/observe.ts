/** What watches exchanges and tells of them: the access log and the trace, put together from the settings. */
import type { Clock } from '../core/clock.ts'
import { destinationOf, type Log } from '../core/log.ts'
import { OutageLog } from '../core/outage-log.ts'
import { version } from '../core/version.ts'
import type { Layer } from './layer.ts'
import { accessLog } from './layers/access-log.ts'
import { decisionHeaders } from './layers/decision-headers.ts'
import { trace } from './layers/trace.ts'
import type { ProxySettings } from './settings.ts'
import { AccessLines } from './telemetry/access-lines.ts'
import { AccessLog, type AccessLogOptions } from './telemetry/access-log.ts'
import type { CollectorReporter } from './telemetry/collector-reporter.ts'
import type { SpanFormat } from './telemetry/span.ts'
import { TraceIds } from './telemetry/trace-ids.ts'

export type Collector = { readonly name: 'zipkin' | 'otlp'; readonly reporter: CollectorReporter }

/** Turned at run time. */
export type ObserveSwitches = {
  readonly sampling: { rate: number }
  readonly accessLog: AccessLogOptions['switches']
}

export type Observing = {
  /** Outermost first. */
  readonly layers: readonly Layer[]
  readonly collectors: readonly Collector[]
  readonly accessLog: AccessLog
  readonly accessLines: AccessLines
  readonly switches: ObserveSwitches
  /** Sends and writes what is held. */
  readonly close: () => Promise<void>
}

/** What sends spans is only loaded where spans are sent. */
async function collectorsOf(settings: ProxySettings, log: Log, clock: Clock): Promise<Collector[]> {
  const { zipkinUrl, otlpUrl, tracing, serviceAccount, namespace, pod } = settings
  if (!tracing || (zipkinUrl === undefined && otlpUrl === undefined)) return []
  const { CollectorReporter: Reporter } = await import('./telemetry/collector-reporter.ts')
  const service = `${serviceAccount}.${namespace}`
  const collector = (name: Collector['name'], url: string, format: SpanFormat): Collector => ({
    name,
    reporter: new Reporter({ url, format, clock, outages: new OutageLog(log) }),
  })
  const collectors: Collector[] = []
  if (zipkinUrl !== undefined) {
    const { zipkinFormat } = await import('./telemetry/zipkin-format.ts')
    collectors.push(collector('zipkin', zipkinUrl, zipkinFormat(service)))
  }
  if (otlpUrl !== undefined) {
    const { otlpFormat } = await import('./telemetry/otlp-format.ts')
    collectors.push(collector('otlp', otlpUrl, otlpFormat({ service, namespace, pod, version })))
  }
  return collectors
}

/** Makes what the settings ask for. */
export async function observe(settings: ProxySettings, log: Log, clock: Clock): Promise<Observing> {
  const { monotonicMs: nowMs, wallMs } = clock
  const sampling = { rate: settings.traceSampling }
  const switches = { format: settings.accessLog, filter: settings.accessLogFilter }
  const lines = new AccessLines(destinationOf(log), clock)
  const written = new AccessLog({ switches, lines, nowMs, wallMs })
  const collectors = await collectorsOf(settings, log, clock)
  const reporters = collectors.map(({ reporter }) => reporter)
  const layers: Layer[] = [accessLog(written)]
  if (settings.decisionHeaders) layers.push(decisionHeaders())
  if (settings.tracing)
    layers.push(trace({ ids: new TraceIds(), sampling, random: Math.random, nowMs, wallMs, reporters }))
  return {
    layers,
    collectors,
    accessLog: written,
    accessLines: lines,
    switches: { sampling, accessLog: switches },
    close: async () => {
      lines.flush()
      await Promise.all(reporters.map((reporter) => reporter.close()))
    },
  }
}
