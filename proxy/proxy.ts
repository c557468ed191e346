/** Puts a sidecar together: identity, configuration, data path, admin. Reads like the list of its parts. */
import { parseApplicationProbes } from '../api/application-probe.ts'
import { formatSpiffeId } from '../api/spiffe.ts'
import { AdminServer } from '../core/admin-server.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { describe, failureFields } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { createRegistry } from '../core/metrics.ts'
import { OutageLog } from '../core/outage-log.ts'
import { Shutdown } from '../core/shutdown.ts'
import { addDiagnose } from './admin/diagnose.ts'
import { addPages } from './admin/pages.ts'
import { addProbes } from './admin/probes.ts'
import { openBootstrap, staticDials, withBootstrap } from './bootstrap/apply-bootstrap.ts'
import { loadBootstrap } from './bootstrap/decode-bootstrap.ts'
import { ofPod, onLoopback } from './application-addresses.ts'
import { DataPath } from './data-path.ts'
import type { DataPathOptions } from './data-path-options.ts'
import { DnsResolver } from './dns/host-resolver.ts'
import { messageSizes } from './layers/message-sizes.ts'
import { tapped } from './layers/tap.ts'
import { makeOriginalDestination } from './listen/original-destination.ts'
import type { Mesh } from './mesh.ts'
import { noMesh } from './no-mesh.ts'
import { observe, type Observing } from './observe.ts'
import { clientLimits, watchOverload } from './overload-guard.ts'
import type { MeshDial } from './pool/dial.ts'
import type { ProxySettings } from './settings.ts'
import type { AccessLog } from './telemetry/access-log.ts'
import { registerAliasMetrics } from './telemetry/alias-metrics.ts'
import { registerDataPathMetrics } from './telemetry/data-path-metrics.ts'
import { registerAccessLogMetrics, registerTraceMetrics } from './telemetry/observe-metrics.ts'
import { registerIstioMetrics } from './telemetry/istio-metrics.ts'
import type { OwnWorkload } from './telemetry/own-workload.ts'
import { ownerLabels } from './telemetry/owner-labels.ts'
import { Tap } from './telemetry/tap.ts'

export type RunningProxy = {
  readonly outboundPort: number
  readonly adminPort: number
  readonly shutdown: Shutdown
}

function reports(
  log: Log,
  accessLog: AccessLog,
): Pick<
  DataPathOptions,
  | 'onTcpEnd'
  | 'onUnexpected'
  | 'onRefused'
  | 'onViolation'
  | 'onListenerError'
  | 'onNameUnresolved'
  | 'onNameResolved'
> {
  // One for each name: that one has no address says nothing about others.
  const unresolved = new Map<string, OutageLog>()
  return {
    onNameUnresolved: (cluster, host, error) => {
      const outage = unresolved.get(host) ?? new OutageLog(log)
      unresolved.set(host, outage)
      outage.failed(cluster, error, { cluster, host })
    },
    onNameResolved: (_cluster, host) => void unresolved.delete(host),
    onUnexpected: (error) => log.error({ error }, 'a fault in the sidecar; the request got 500'),
    onRefused: (error, peer) =>
      log.warn({ code: error.code, peer, reason: error.message }, 'a connection is refused'),
    onViolation: (error, downstream, began) => {
      const { peerAddress: peer, direction } = downstream
      log.debug({ status: error.status, peer, direction, reason: error.message }, 'a malformed request')
      const { status, flag, code, message: reason } = error
      if (!began) accessLog.refused({ direction, peer, status, flag, code, reason })
    },
    onTcpEnd: (record) => accessLog.connection(record),
    onListenerError: (error) => log.error({ error }, 'a listener failed'),
  }
}

function metricLabels(settings: ProxySettings): Record<string, string> {
  const { namespace, pod, owner } = settings
  const labels: Record<string, string> = { namespace, pod, ...ownerLabels(owner) }
  if (settings.deployment !== undefined) labels['deployment'] = settings.deployment
  if (settings.podTemplateHash !== undefined) labels['pod_template_hash'] = settings.podTemplateHash
  return labels
}

/** OSM writes kinds as Kubernetes does. */
const ownerKinds: ReadonlyMap<string, string> = new Map([
  ['replicaset', 'ReplicaSet'],
  ['statefulset', 'StatefulSet'],
  ['daemonset', 'DaemonSet'],
  ['job', 'Job'],
  ['cronjob', 'CronJob'],
])

function ownWorkload({ namespace, pod, deployment, owner }: ProxySettings): OwnWorkload {
  if (deployment !== undefined) return { namespace, pod, kind: 'Deployment', name: deployment }
  const [kind = '', name] = owner?.split('/') ?? []
  if (name === undefined) return { namespace, pod, kind: 'Pod', name: pod }
  return { namespace, pod, kind: ownerKinds.get(kind) ?? 'Deployment', name }
}

/** Istio's families need what no other does. */
function sizesAreCounted({ metricAliases }: ProxySettings): boolean {
  return metricAliases === 'istio' || metricAliases === 'all'
}

function addChecks(
  admin: AdminServer,
  mesh: Mesh,
  shutdown: Shutdown,
  inboundProblem: () => string | undefined,
): void {
  const { identity } = mesh
  if (identity !== undefined) admin.addCheck('identity', () => identity.readiness())
  admin.addCheck('configuration', () => mesh.ready())
  admin.addCheck('inbound', () => inboundProblem() ?? true)
  admin.addCheck('draining', () => (shutdown.started ? 'draining' : true))
}

function makeDataPath(
  settings: ProxySettings,
  log: Log,
  clock: Clock,
  mesh: Mesh,
  more: Pick<DataPathOptions, 'application' | 'observers' | 'dialMesh' | 'onInboundProblem'> & {
    readonly alone: boolean
    readonly observing: Observing
  },
): DataPath {
  const redirected = settings.mode === 'redirect'
  return new DataPath(
    {
      clock,
      namespace: settings.namespace,
      ownPrincipal: more.alone ? undefined : formatSpiffeId(settings),
      zone: settings.zone ?? '',
      // Without a mesh there is nothing to send to but what the file's own listeners lead to.
      outboundAddress: more.alone ? undefined : settings.outboundAddress,
      outboundPolicy: settings.outboundPolicy,
      inboundAddress: redirected ? settings.inboundAddress : undefined,
      originalDestination: redirected ? makeOriginalDestination() : undefined,
      application: more.application,
      adminPort: settings.adminAddress.port,
      detectTimeoutMs: settings.detectTimeout,
      ...clientLimits(settings, log),
      dialMesh: more.dialMesh,
      resolver: new DnsResolver(settings.dnsServers),
      acceptMesh: mesh.acceptMesh,
      observers: more.observers,
      onInboundProblem: more.onInboundProblem,
      ...reports(log, more.observing.accessLog),
    },
    mesh.discovery,
  )
}

/** Everything of the mesh, gRPC above all, is loaded only where there is one. */
async function meshOf(
  alone: boolean,
  settings: ProxySettings,
  log: Log,
  clock: Clock,
  tap: Tap,
): Promise<Mesh> {
  if (alone) return noMesh
  const { makeMesh } = await import('./mesh.ts')
  return makeMesh(settings, log, clock, tap)
}

/** What keeps inbound addresses from being opened; said when it changes. */
function inboundProblems(log: Log) {
  let current: string | undefined
  const report: DataPathOptions['onInboundProblem'] = (problem) => {
    const text = problem === undefined ? undefined : describe(problem)
    if (text === current) return
    current = text
    if (problem === undefined) log.info('all inbound addresses are open')
    else log.error(failureFields(problem), 'an inbound address cannot be opened; it is tried again')
  }
  return { current: () => current, report }
}

/**
 * Starts a sidecar, of a mesh or of a bootstrap file. Rejects with CONFIG_INVALID, BOOTSTRAP_INVALID, PORT_IN_USE and
 * the like; everything later is logged.
 */
export async function startProxy(
  given: ProxySettings,
  log: Log,
  clock: Clock = systemClock,
): Promise<RunningProxy> {
  const bootstrap = given.bootstrap === undefined ? undefined : loadBootstrap(given.bootstrap)
  const settings = bootstrap === undefined ? given : withBootstrap(given, bootstrap)
  const dials = bootstrap === undefined ? new Map<string, MeshDial>() : staticDials(bootstrap, clock)
  const alone = bootstrap !== undefined && bootstrap.controlPlane === undefined
  const shutdown = new Shutdown({ log, clock })
  const observing = await observe(settings, log, clock)
  shutdown.add('traces', () => observing.close())
  const tap = new Tap({ nowMs: clock.monotonicMs, wallMs: clock.wallMs })
  const mesh = await meshOf(alone, settings, log, clock, tap)
  const inbound = inboundProblems(log)
  const application = settings.mode === 'redirect' ? ofPod() : onLoopback
  const dataPath = makeDataPath(settings, log, clock, mesh, {
    alone,
    application,
    observers: [tapped(tap), ...(sizesAreCounted(settings) ? [messageSizes()] : []), ...observing.layers],
    observing,
    dialMesh: (target) => (dials.get(target.cluster) ?? mesh.dialMesh)(target),
    onInboundProblem: inbound.report,
  })
  await dataPath.start()
  if (!alone) {
    const { host } = settings.outboundAddress
    log.info({ name: 'outbound', address: `${host}:${dataPath.outboundPort}` }, 'listening')
  }
  const registry = createRegistry('proxy', metricLabels(settings))
  registerDataPathMetrics(registry, dataPath)
  registerTraceMetrics(registry, observing.collectors)
  registerAccessLogMetrics(registry, observing.accessLines)
  registerAliasMetrics(registry, dataPath.golden, ownWorkload(settings), settings.metricAliases)
  if (sizesAreCounted(settings)) registerIstioMetrics(registry, dataPath, ownWorkload(settings))
  watchOverload(settings, log, clock, dataPath, registry)
  if (bootstrap !== undefined) await openBootstrap(bootstrap, dataPath, log)
  mesh.start(dataPath, registry)
  shutdown.add('control plane', () => mesh.stop())
  const admin = new AdminServer({ ...settings.adminAddress, log, registry, audience: 'local' })
  addChecks(admin, mesh, shutdown, inbound.current)
  const probes = settings.probes === undefined ? new Map() : parseApplicationProbes(settings.probes)
  addProbes(admin, probes, application)
  addPages({
    admin,
    dataPath,
    identity: mesh.identity,
    config: () => mesh.dump(),
    log,
    switches: observing.switches,
    nowMs: clock.monotonicMs,
    shutdown: () => void process.kill(process.pid, 'SIGTERM'),
  })
  addDiagnose(admin, { dataPath, ...mesh, namespace: settings.namespace, clock, application })
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
