/** Puts the control plane together: provider -> model -> snapshot -> streams, and the CA beside it. */
import { isIP } from 'node:net'
import * as grpc from '@grpc/grpc-js'
import { aggregatedDiscoveryService, certificateService } from '../api/xds/services.ts'
import { AdminServer } from '../core/admin-server.ts'
import { type Address, formatAddress, isLoopback } from '../core/address.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { WeftError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { createRegistry } from '../core/metrics.ts'
import { Shutdown } from '../core/shutdown.ts'
import { CertificateAuthority } from './ca/certificate-authority.ts'
import { certificateHandlers } from './ca/certificate-service.ts'
import { openRoot } from './ca/root.ts'
import { ServerCertificate } from './ca/server-certificate.ts'
import { StateFolder } from './ca/state-folder.ts'
import { TokenAuthenticator } from './ca/token.ts'
import { openTokenKey } from './ca/token-key.ts'
import { Findings } from './findings.ts'
import { registerControlPlaneMetrics } from './metrics.ts'
import { MeshModel } from './model/mesh-model.ts'
import type { Change } from './model/objects.ts'
import { policyStatus, serviceTraffic } from './model/policy-status.ts'
import { routeStatus } from './model/route-status.ts'
import { DirectoryProvider } from './providers/directory/directory-provider.ts'
import type { ControlPlaneSettings } from './settings.ts'
import { Snapshot } from './snapshot/snapshot.ts'
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

async function openAuthority(settings: ControlPlaneSettings, clock: Clock, log: Log) {
  const folder = new StateFolder(settings.state)
  const root = await openRoot({ folder, trustDomain: settings.trustDomain, clock, log })
  const authority = new CertificateAuthority({ root, clock, lifetimeMs: settings.leafLifetime })
  const { publicKey } = openTokenKey(folder)
  return { authority, authenticator: new TokenAuthenticator({ publicKey, clock }) }
}

async function startSecure(
  settings: ControlPlaneSettings,
  log: Log,
  clock: Clock,
  parts: { readonly ads: AdsService } & Awaited<ReturnType<typeof openAuthority>>,
) {
  const { ads, authority, authenticator } = parts
  const { grpcAddress, trustDomain } = settings
  const certificate = new ServerCertificate({ authority, ...serverNames(settings), clock, log })
  await certificate.start()
  const server = new grpc.Server(serverOptions)
  server.addService(aggregatedDiscoveryService, ads.handlers(authenticator))
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
  log: Log,
): Promise<{ readonly server: grpc.Server; readonly port: number } | undefined> {
  const address = settings.insecureXdsAddress
  if (address === undefined) return undefined
  if (!isLoopback(address.host)) {
    throw new WeftError('CONFIG_INVALID', '--insecure-xds-address must be a loopback address', {
      detail: [`--insecure-xds-address: ${formatAddress(address)} can be reached from other machines`],
    })
  }
  const server = new grpc.Server(serverOptions)
  server.addService(aggregatedDiscoveryService, ads.handlers(undefined))
  const port = await bind(server, address, grpc.ServerCredentials.createInsecure())
  log.info({ name: 'insecure xds', address: formatAddress({ host: address.host, port }) }, 'listening')
  return { server, port }
}

function makeAdmin(
  settings: ControlPlaneSettings,
  log: Log,
  parts: {
    readonly model: MeshModel
    readonly ads: AdsService
    readonly provider: DirectoryProvider
    readonly findings: Findings
    readonly splits: SplitJournal
  },
): AdminServer {
  const { model, ads, provider, findings, splits } = parts
  const registry = createRegistry('control-plane')
  registerControlPlaneMetrics(registry, ads.stats, provider)
  const admin = new AdminServer({ ...settings.adminAddress, log, registry })
  admin.page('GET', '/findings', () => ({
    body: { findings: [...findings.all(), ...splits.findings()], brokenFiles: provider.brokenFiles },
  }))
  admin.page('GET', '/splits', ({ query }) => ({
    body: { splits: splits.pages(query.get('namespace') ?? undefined, query.get('name') ?? undefined) },
  }))
  admin.page('GET', '/routes', () => ({
    body: { routes: [...model.allRoutes()].map((route) => routeStatus(model, route)) },
  }))
  admin.page('GET', '/policies', () => ({
    body: {
      policies: [...model.allPolicies()].map((policy) => policyStatus(model, policy)),
      services: [...model.services()].flatMap(([, service]) => serviceTraffic(model, service) ?? []),
    },
  }))
  admin.page('GET', '/clients', () => ({ body: ads.clients() }))
  return admin
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
): Promise<RunningControlPlane> {
  const shutdown = new Shutdown({ log, clock })
  const { authority, authenticator } = await openAuthority(settings, clock, log)
  const model = new MeshModel({ requireGrants: settings.referenceGrants === 'required' })
  const snapshot = new Snapshot(model, {
    trustDomain: settings.trustDomain,
    trustBundlePem: () => authority.trustBundlePem,
  })
  const ads = new AdsService(snapshot, log)
  const pusher = new Pusher(clock, (dependencies) => ads.push(dependencies))
  const findings = new Findings(model, log)
  const splits = new SplitJournal(model, log, clock)
  const provider = new DirectoryProvider({
    folder: settings.config,
    clock,
    log,
    onChanges: (changes: readonly Change[]) => {
      const dirty = model.apply(changes)
      findings.update(dirty.services)
      splits.update(dirty.services)
      pusher.changed(snapshot.invalidate(dirty), dirty.routing)
    },
  })
  // Nobody is answered before everything was read: an empty answer would take working routes away.
  await provider.start()
  shutdown.add('provider', () => provider.stop())
  const {
    server,
    certificate,
    port: grpcPort,
  } = await startSecure(settings, log, clock, {
    ads,
    authority,
    authenticator,
  })
  const connections = new StuckConnections(clock)
  connections.watch(server)
  const insecure = await startInsecure(settings, ads, log)
  const admin = makeAdmin(settings, log, { model, ads, provider, findings, splits })
  const { port: adminPort } = await admin.start()
  shutdown.add('admin', () => admin.stop())
  shutdown.add('grpc', async () => {
    pusher.stop()
    certificate.stop()
    connections.stop()
    // Streams never end by themselves: clients are to look for another replica, or for our successor.
    server.forceShutdown()
    insecure?.server.forceShutdown()
    await Promise.resolve()
  })
  return { grpcPort, insecureXdsPort: insecure?.port ?? 0, adminPort, shutdown }
}
