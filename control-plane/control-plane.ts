/** Puts the control plane together: provider -> model -> snapshot -> streams, and the CA beside it. */
import { isIP } from 'node:net'
import * as grpc from '@grpc/grpc-js'
import {
  aggregatedDiscoveryService,
  certificateService,
  loadReportingService,
  tapService,
} from '../api/xds/services.ts'
import { AdminServer } from '../core/admin-server.ts'
import { type Address, formatAddress } from '../core/address.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { WeftError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { createRegistry, type Registry } from '../core/metrics.ts'
import { Shutdown } from '../core/shutdown.ts'
import type { Authenticator } from './ca/authenticator.ts'
import { CertificateAuthority } from './ca/certificate-authority.ts'
import { certificateHandlers } from './ca/certificate-service.ts'
import { ServerCertificate } from './ca/server-certificate.ts'
import { addDashboard } from './dashboard/dashboard.ts'
import { addDiagnosisPages } from './diagnosis/pages.ts'
import { Findings } from './findings.ts'
import { LiveMeshModel } from './live/live-mesh.ts'
import { LivePages } from './live/live-pages.ts'
import { loadHandlers, type LoadServiceParts } from './live/load-service.ts'
import type { TapAccess } from './live/tap-access.ts'
import { TapBroker } from './live/tap-broker.ts'
import { addTapPage } from './live/tap-page.ts'
import { tapHandlers, type TapServiceParts } from './live/tap-service.ts'
import { registerControlPlaneMetrics } from './metrics.ts'
import { accessPolicyReport, trafficTargetReport } from './model/access-status.ts'
import { MeshModel } from './model/mesh-model.ts'
import { keyOf } from './model/naming.ts'
import type { Change } from './model/objects.ts'
import { policyStatus, serviceTraffic } from './model/policy-status.ts'
import { routeStatus } from './model/route-status.ts'
import { serviceReport } from './model/service-report.ts'
import type { Provider } from './providers/provider.ts'
import type { ControlPlaneSettings } from './settings.ts'
import { Snapshot } from './snapshot/snapshot.ts'
import { openSource } from './source.ts'
import { SplitJournal } from './status/split-journal.ts'
import { AdsService } from './xds/ads-service.ts'
import { Pusher } from './xds/pusher.ts'
import { StuckConnections } from './stuck-connections.ts'

export type RunningControlPlane = {
  readonly grpcPort: number
  /** 0 when there is none. */
  readonly insecureXdsPort: number
  readonly adminPort: number
  readonly shutdown: Shutdown
}

const cleanUpWithinMs = 5_000

const serverOptions: grpc.ServerOptions = {
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  // Requests are names: nobody needs to send us megabytes before we know who it is.
  'grpc.max_receive_message_length': 4 * 1024 * 1024,
}

function bind(server: grpc.Server, address: Address, credentials: grpc.ServerCredentials): Promise<number> {
  const text = formatAddress(address)
  return new Promise((resolve, reject) => {
    server.bindAsync(text, credentials, (error, port) => {
      if (error === null) resolve(port)
      else if (/EADDRINUSE/.test(error.message))
        reject(new WeftError('PORT_IN_USE', `another process listens on ${text}`, { cause: error }))
      else
        reject(new WeftError('LISTEN_FAILED', `cannot listen on ${text}: ${error.message}`, { cause: error }))
    })
  })
}

async function startSecure(
  settings: ControlPlaneSettings,
  log: Log,
  clock: Clock,
  parts: {
    readonly ads: AdsService
    readonly authority: CertificateAuthority
    readonly authenticator: Authenticator
    readonly loads: LoadServiceParts
    readonly taps: TapServiceParts
  },
) {
  const { ads, authority, authenticator, loads, taps } = parts
  const { grpcAddress, trustDomain } = settings
  const certificate = new ServerCertificate({ authority, ...serverNames(settings), clock, log })
  await certificate.start()
  const server = new grpc.Server(serverOptions)
  server.addService(aggregatedDiscoveryService, ads.handlers(authenticator))
  server.addService(loadReportingService, loadHandlers(loads, authenticator))
  server.addService(tapService, tapHandlers(taps, authenticator))
  server.addService(
    certificateService,
    certificateHandlers({ authority, authenticator, trustDomain, clock, log }),
  )
  const port = await bind(server, grpcAddress, certificate.credentials())
  log.info({ name: 'grpc', address: formatAddress({ host: grpcAddress.host, port }) }, 'listening')
  return { server, certificate, port }
}

async function startInsecure(
  settings: ControlPlaneSettings,
  ads: AdsService,
  loads: LoadServiceParts,
): Promise<{ readonly server: grpc.Server; readonly port: number } | undefined> {
  const address = settings.insecureXdsAddress
  if (address === undefined) return undefined
  const server = new grpc.Server(serverOptions)
  server.addService(aggregatedDiscoveryService, ads.handlers(undefined))
  server.addService(loadReportingService, loadHandlers(loads, undefined))
  const port = await bind(server, address, grpc.ServerCredentials.createInsecure())
  loads.log.info({ name: 'insecure xds', address: formatAddress({ host: address.host, port }) }, 'listening')
  return { server, port }
}

/** Answers from the first moment, so that who restarts what does not live leaves us alone while we wait. */
async function startAdmin(settings: ControlPlaneSettings, log: Log, registry: Registry, provider: Provider) {
  const admin = new AdminServer({ ...settings.adminAddress, log, registry })
  const state = { ready: false }
  admin.addCheck('configuration', () => {
    if (state.ready) return true
    return provider.missing.length === 0 ? 'starting' : `waiting for ${provider.missing.join(', ')}`
  })
  addDashboard(admin, log)
  const { port } = await admin.start()
  return { admin, port, state }
}

function addPages(
  admin: AdminServer,
  parts: {
    readonly model: MeshModel
    readonly ads: AdsService
    readonly provider: Provider
    readonly findings: Findings
    readonly splits: SplitJournal
    readonly snapshot: Snapshot
    readonly settings: ControlPlaneSettings
    readonly authority: CertificateAuthority
    readonly clock: Clock
  },
): void {
  const { model, ads, provider, findings, splits, snapshot, settings, authority, clock } = parts
  const { trustDomain, leafLifetime: leafLifetimeMs } = settings
  addDiagnosisPages(admin, {
    model,
    snapshot,
    trustDomain,
    leafLifetimeMs,
    roots: () => authority.trustBundlePem,
    sidecars: () => ads.sidecars(trustDomain),
    clock,
  })
  admin.page('GET', '/findings', () => ({
    body: { findings: [...findings.all(), ...splits.findings()], refused: provider.refused },
  }))
  admin.page('GET', '/splits', ({ query }) => ({
    body: { splits: splits.pages(query.get('namespace') ?? undefined, query.get('name') ?? undefined) },
  }))
  admin.page('GET', '/services', () => ({
    body: { services: [...model.services()].map(([, service]) => serviceReport(model, service)) },
  }))
  admin.page('GET', '/routes', () => ({
    body: { routes: [...model.allRoutes()].map((route) => routeStatus(model, route)) },
  }))
  admin.page('GET', '/policies', () => ({
    body: {
      policies: [...model.traffic.all()].map((policy) => policyStatus(model, policy)),
      services: [...model.services()].flatMap(([, service]) => serviceTraffic(model, service) ?? []),
      access: [
        ...[...model.access.allPolicies()].map((policy) => accessPolicyReport(model, policy)),
        ...[...model.access.allTargets()].map((target) => trafficTargetReport(model, target)),
      ],
    },
  }))
  admin.page('GET', '/clients', () => ({ body: ads.clients() }))
}

/** Live traffic: what sidecars report, and the pages that show it. */
function addLive(
  admin: AdminServer,
  {
    model,
    settings,
    clock,
    log,
    tapAccess,
  }: {
    readonly model: MeshModel
    readonly settings: ControlPlaneSettings
    readonly clock: Clock
    readonly log: Log
    readonly tapAccess: TapAccess | undefined
  },
  shutdown: Shutdown,
): { readonly loads: LoadServiceParts; readonly taps: TapServiceParts } {
  const live = new LiveMeshModel()
  const pages = new LivePages(live, clock)
  pages.addTo(admin)
  shutdown.add('live pages', async () => pages.stop())
  const taps = new TapBroker(clock.monotonicMs)
  addTapPage(admin, { taps, log, access: tapAccess })
  const parts = {
    clock,
    log,
    trustDomain: settings.trustDomain,
    workload: (namespace: string, pod: string) => model.workload(keyOf(namespace, pod)),
  }
  return { loads: { ...parts, live }, taps: { ...parts, taps } }
}

/** What clients may call the server: its names, and the address that it listens on. */
function serverNames({ dnsNames, grpcAddress }: ControlPlaneSettings) {
  const [ipAddresses, names] = [dnsNames.filter(isIP), dnsNames.filter((name) => isIP(name) === 0)]
  const listens = isIP(grpcAddress.host) !== 0 && !['0.0.0.0', '::'].includes(grpcAddress.host)
  return { dnsNames: names, ipAddresses: [...ipAddresses, ...(listens ? [grpcAddress.host] : [])] }
}

/** Starts everything; rejects with CONFIG_INVALID, PORT_IN_USE, FILE_UNREADABLE or a code of the state folder. */
export async function startControlPlane(
  settings: ControlPlaneSettings,
  log: Log,
  clock: Clock = systemClock,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<RunningControlPlane> {
  const shutdown = new Shutdown({ log, clock })
  try {
    return { ...(await startAll(settings, log, clock, env, shutdown)), shutdown }
  } catch (error) {
    await shutdown.run(cleanUpWithinMs)
    throw error
  }
}

type GrpcParts = Parameters<typeof startSecure>[3]

/** Both gRPC listeners; `onStop` is called before connections are cut. */
async function serveGrpc(
  settings: ControlPlaneSettings,
  clock: Clock,
  parts: GrpcParts,
  shutdown: Shutdown,
  onStop: () => void,
): Promise<Pick<RunningControlPlane, 'grpcPort' | 'insecureXdsPort'>> {
  const secure = await startSecure(settings, parts.loads.log, clock, parts)
  const connections = new StuckConnections(clock)
  connections.watch(secure.server)
  shutdown.add('grpc', async () => {
    onStop()
    secure.certificate.stop()
    connections.stop()
    // Streams never end by themselves: clients are to look for another replica, or for our successor.
    secure.server.forceShutdown()
    await Promise.resolve()
  })
  const insecure = await startInsecure(settings, parts.ads, parts.loads)
  shutdown.add('insecure xds', async () => {
    insecure?.server.forceShutdown()
    await Promise.resolve()
  })
  return { grpcPort: secure.port, insecureXdsPort: insecure?.port ?? 0 }
}

async function startAll(
  settings: ControlPlaneSettings,
  log: Log,
  clock: Clock,
  env: Readonly<Record<string, string | undefined>>,
  shutdown: Shutdown,
): Promise<Omit<RunningControlPlane, 'shutdown'>> {
  const model = new MeshModel({ requireGrants: settings.referenceGrants === 'required' })
  const findings = new Findings(model, log)
  const splits = new SplitJournal(model, log, clock)
  const pusher = new Pusher(clock, (dependencies, changedAtMs) => ads.push(dependencies, changedAtMs))
  const source = openSource({
    settings,
    clock,
    log,
    env,
    onChanges: (changes: readonly Change[]) => {
      const dirty = model.apply(changes)
      findings.update(dirty.services)
      splits.update(dirty.services)
      status?.update(changes, dirty)
      pusher.changed(snapshot.invalidate(dirty), dirty.routing)
    },
    onRefused: (refusal) => status?.refuse(refusal),
  })
  const { provider, authenticator, tapAccess } = source
  const status = source.reportStatus?.(model)
  const registry = createRegistry('control-plane')
  const { admin, port: adminPort, state } = await startAdmin(settings, log, registry, provider)
  shutdown.add('admin', () => admin.stop())
  const root = await source.openRoot()
  const authority = new CertificateAuthority({ root, clock, lifetimeMs: settings.leafLifetime })
  const snapshot = new Snapshot(model, {
    trustDomain: settings.trustDomain,
    trustBundlePem: () => authority.trustBundlePem,
  })
  const ads = new AdsService(snapshot, log, clock)
  registerControlPlaneMetrics(registry, ads.stats, provider)
  addPages(admin, { model, ads, provider, findings, splits, snapshot, settings, authority, clock })
  const { loads, taps } = addLive(admin, { model, settings, clock, log, tapAccess }, shutdown)
  shutdown.add('provider', () => provider.stop())
  // Nobody is answered before everything was read: an empty answer would take working routes away.
  await provider.start()
  shutdown.add('status', async () => status?.stop())
  status?.start()
  const served = await serveGrpc(
    settings,
    clock,
    { ads, authority, authenticator, loads, taps },
    shutdown,
    () => pusher.stop(),
  )
  state.ready = true
  return { ...served, adminPort }
}
