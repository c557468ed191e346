/** Puts the control plane together: provider -> model -> snapshot -> streams, and the CA beside it. */
import { lagOf } from '../api/rotation.ts'
import { AdminServer } from '../core/admin-server.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import { createRegistry, type Registry } from '../core/metrics.ts'
import { Shutdown } from '../core/shutdown.ts'
import { CertificateAuthority } from './ca/certificate-authority.ts'
import type { MeshTrust } from './ca/mesh-trust.ts'
import { addDashboard } from './dashboard/dashboard.ts'
import { addAccessPages } from './diagnosis/access-pages.ts'
import { addDiagnosisPages } from './diagnosis/pages.ts'
import { Findings } from './findings.ts'
import { type GrpcPorts, serveGrpc } from './grpc-server.ts'
import { LiveMeshModel } from './live/live-mesh.ts'
import { LivePages } from './live/live-pages.ts'
import type { LoadServiceParts } from './live/load-service.ts'
import type { TapAccess } from './live/tap-access.ts'
import { TapBroker } from './live/tap-broker.ts'
import { addTapPage } from './live/tap-page.ts'
import type { TapServiceParts } from './live/tap-service.ts'
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

export type RunningControlPlane = GrpcPorts & {
  readonly adminPort: number
  readonly shutdown: Shutdown
}

const cleanUpWithinMs = 5_000

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
    readonly trust: MeshTrust
    readonly clock: Clock
  },
): void {
  const { model, ads, provider, findings, splits, snapshot, settings, trust, clock } = parts
  const { trustDomain, leafLifetime: leafLifetimeMs } = settings
  addDiagnosisPages(admin, {
    model,
    snapshot,
    trustDomain,
    leafLifetimeMs,
    trust,
    sidecars: () => ads.sidecars(trustDomain),
    clock,
  })
  addAccessPages(admin, model)
  admin.page('GET', '/findings', () => ({
    body: {
      findings: [...findings.all(), ...splits.findings(), ...(provider.findings ?? [])],
      refused: provider.refused,
    },
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

async function startAll(
  settings: ControlPlaneSettings,
  log: Log,
  clock: Clock,
  env: Readonly<Record<string, string | undefined>>,
  shutdown: Shutdown,
): Promise<Omit<RunningControlPlane, 'shutdown'>> {
  const { leafLifetime: lifetimeMs, trustDomain } = settings
  const model = new MeshModel({ requireGrants: settings.referenceGrants === 'required', trustDomain })
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
  const trust = await source.openTrust((current) =>
    ads.sidecars(trustDomain).every((sidecar) => lagOf(current, sidecar) === undefined),
  )
  shutdown.add('trust', async () => trust.stop())
  const authority = new CertificateAuthority({ issuer: () => trust.current.issuer, clock, lifetimeMs })
  const snapshot = new Snapshot(model, { trustDomain, trustBundlePem: () => trust.current.bundlePem })
  const ads = new AdsService(snapshot, log, clock)
  registerControlPlaneMetrics(registry, ads.stats, provider)
  addPages(admin, { model, ads, provider, findings, splits, snapshot, settings, trust, clock })
  trust.onChange(() => pusher.changed(snapshot.invalidateTrust(), false))
  const { loads, taps } = addLive(admin, { model, settings, clock, log, tapAccess }, shutdown)
  shutdown.add('provider', () => provider.stop())
  // Nobody is answered before everything was read: an empty answer would take working routes away.
  await provider.start()
  shutdown.add('status', async () => status?.stop())
  status?.start()
  const served = await serveGrpc(
    settings,
    clock,
    { ads, authority, trust, authenticator, loads, taps, registry },
    shutdown,
    () => pusher.stop(),
  )
  trust.watch()
  state.ready = true
  return { ...served, adminPort }
}
