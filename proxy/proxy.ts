/** Puts a sidecar together: identity, configuration, data path, admin. Reads like the list of its parts. */
import { AdminServer } from '../core/admin-server.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { describe } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { createRegistry } from '../core/metrics.ts'
import { Shutdown } from '../core/shutdown.ts'
import { addPages } from './admin/pages.ts'
import { DataPath, type DataPathOptions } from './data-path.ts'
import type { Layer } from './layer.ts'
import { accessLog } from './layers/access-log.ts'
import { trace } from './layers/trace.ts'
import { makeOriginalDestination } from './listen/original-destination.ts'
import { makeMesh, type Mesh } from './mesh.ts'
import type { ProxySettings } from './settings.ts'
import { registerDataPathMetrics } from './telemetry/data-path-metrics.ts'
import type { SpanReporter } from './telemetry/span.ts'
import { TraceIds } from './telemetry/trace-ids.ts'

export type RunningProxy = {
  readonly outboundPort: number
  readonly adminPort: number
  readonly shutdown: Shutdown
}

/** The exporter is only loaded where traces are sent: it is the larger half of what telemetry costs in memory. */
async function spanReporter(settings: ProxySettings, log: Log): Promise<SpanReporter | undefined> {
  if (settings.zipkinUrl === undefined) return undefined
  const { ZipkinReporter } = await import('./telemetry/zipkin-reporter.ts')
  return new ZipkinReporter(settings.zipkinUrl, `${settings.serviceAccount}.${settings.namespace}`, log)
}

function observers(
  settings: ProxySettings,
  log: Log,
  clock: Clock,
  sampling: { rate: number },
  reporter: SpanReporter | undefined,
): Layer[] {
  const { monotonicMs: nowMs, wallMs } = clock
  const layers: Layer[] = []
  if (settings.accessLog !== 'off') layers.push(accessLog(settings.accessLog, log, { nowMs, wallMs }))
  layers.push(trace({ ids: new TraceIds(), sampling, random: Math.random, nowMs, wallMs, reporter }))
  return layers
}

function reports(
  log: Log,
): Pick<DataPathOptions, 'onUnexpected' | 'onRefused' | 'onViolation' | 'onListenerError'> {
  return {
    onUnexpected: (error) => log.error({ error }, 'a fault in the sidecar; the request got 500'),
    onRefused: (error, peer) =>
      log.warn({ code: error.code, peer, reason: error.message }, 'a connection is refused'),
    onViolation: (error, { peerAddress, direction }) =>
      log.debug(
        { status: error.status, peer: peerAddress, direction, reason: error.message },
        'a malformed request',
      ),
    onListenerError: (error) => log.error({ error }, 'a listener failed'),
  }
}

function metricLabels(settings: ProxySettings): Record<string, string> {
  const labels: Record<string, string> = { namespace: settings.namespace, pod: settings.pod }
  if (settings.deployment !== undefined) labels['deployment'] = settings.deployment
  if (settings.podTemplateHash !== undefined) labels['pod_template_hash'] = settings.podTemplateHash
  return labels
}

function addChecks(
  admin: AdminServer,
  mesh: Mesh,
  shutdown: Shutdown,
  inboundProblem: () => string | undefined,
): void {
  admin.addCheck('identity', () => mesh.identity.readiness())
  admin.addCheck('configuration', () => mesh.ready())
  admin.addCheck('inbound', () => inboundProblem() ?? true)
  admin.addCheck('draining', () => (shutdown.started ? 'draining' : true))
}

/** Starts a sidecar of the mesh. Rejects with CONFIG_INVALID, PORT_IN_USE and the like; everything later is logged. */
export async function startProxy(
  settings: ProxySettings,
  log: Log,
  clock: Clock = systemClock,
): Promise<RunningProxy> {
  const shutdown = new Shutdown({ log, clock })
  const sampling = { rate: settings.traceSampling }
  const reporter = await spanReporter(settings, log)
  if (reporter !== undefined) shutdown.add('traces', () => reporter.close())
  const mesh = makeMesh(settings, log, clock)
  const redirected = settings.mode === 'redirect'
  const dataPath = new DataPath(
    {
      clock,
      namespace: settings.namespace,
      outboundAddress: settings.outboundAddress,
      outboundPolicy: settings.outboundPolicy,
      inboundAddress: redirected ? settings.inboundAddress : undefined,
      originalDestination: redirected ? makeOriginalDestination() : undefined,
      detectTimeoutMs: settings.detectTimeout,
      dialMesh: (target) => mesh.tlsClient.connect(target),
      acceptMesh: (socket, onSecure, onRefused) => mesh.tlsServer.accept(socket, onSecure, onRefused),
      observers: observers(settings, log, clock, sampling, reporter),
      ...reports(log),
    },
    mesh.discovery,
  )
  let inboundProblem: string | undefined
  await dataPath.start((error) => {
    inboundProblem = describe(error)
    log.error({ error }, 'an inbound address cannot be opened')
  })
  log.info(
    { name: 'outbound', address: `${settings.outboundAddress.host}:${dataPath.outboundPort}` },
    'listening',
  )
  const registry = createRegistry('proxy', metricLabels(settings))
  registerDataPathMetrics(registry, dataPath)
  mesh.start(dataPath, registry)
  shutdown.add('control plane', () => mesh.stop())
  const admin = new AdminServer({ ...settings.adminAddress, log, registry })
  addChecks(admin, mesh, shutdown, () => inboundProblem)
  const end = (): void => {
    process.kill(process.pid, 'SIGTERM')
  }
  addPages({
    admin,
    dataPath,
    identity: mesh.identity,
    config: () => mesh.dump(),
    log,
    sampling,
    nowMs: clock.monotonicMs,
    shutdown: end,
  })
  shutdown.add('admin', () => admin.stop())
  shutdown.add('connections', () => drain(dataPath, settings, clock))
  const { port: adminPort } = await admin.start()
  return { outboundPort: dataPath.outboundPort, adminPort, shutdown }
}

/** The mesh has to learn that we are leaving before we refuse anything: until then connections are taken as before. */
async function drain(dataPath: DataPath, settings: ProxySettings, clock: Clock): Promise<void> {
  await new Promise<void>((resolve) => void setTimeout(resolve, settings.drainDelay))
  const deadline = clock.after(settings.drainDeadline, () => dataPath.destroy())
  await dataPath.drain()
  deadline.cancel()
}
