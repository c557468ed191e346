/** The gRPC listeners: ADS, CA, load reports and taps over TLS for who proves an identity; ADS in clear on loopback. */
import { isIP } from 'node:net'
import * as grpc from '@grpc/grpc-js'
import { lagOf, type RotationState } from '../api/rotation.ts'
import {
  aggregatedDiscoveryService,
  certificateService,
  loadReportingService,
  tapService,
} from '../api/xds/services.ts'
import { type Address, formatAddress } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import { WeftError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Registry } from '../core/metrics.ts'
import type { Shutdown } from '../core/shutdown.ts'
import type { Authenticator } from './ca/authenticator.ts'
import { CaStats, registerCaMetrics, registerPortMetrics } from './ca/ca-metrics.ts'
import { CallAdmission } from './ca/call-admission.ts'
import { ClientCertificates } from './ca/client-certificates.ts'
import type { CertificateAuthority } from './ca/certificate-authority.ts'
import { certificateHandlers } from './ca/certificate-service.ts'
import type { MeshTrust } from './ca/mesh-trust.ts'
import { ServerCertificate } from './ca/server-certificate.ts'
import { ConnectionGuard } from './connection-guard.ts'
import { loadHandlers, type LoadServiceParts } from './live/load-service.ts'
import { tapHandlers, type TapServiceParts } from './live/tap-service.ts'
import type { ControlPlaneSettings } from './settings.ts'
import { StuckConnections } from './stuck-connections.ts'
import type { AdsService } from './xds/ads-service.ts'

export type GrpcParts = {
  readonly ads: AdsService
  readonly authority: CertificateAuthority
  readonly trust: MeshTrust
  readonly authenticator: Authenticator
  readonly loads: LoadServiceParts
  readonly taps: TapServiceParts
  readonly registry: Registry
}

export type GrpcPorts = {
  readonly grpcPort: number
  /** 0 when there is none. */
  readonly insecureXdsPort: number
}

const serverOptions: grpc.ServerOptions = {
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  // Requests are names; and none is read before we know whose it is.
  'grpc.max_receive_message_length': 4 * 1024 * 1024,
  // A sidecar has four.
  'grpc.max_concurrent_streams': 100,
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

/** What clients may call the server: its names, and the address that it listens on. */
function serverNames({ dnsNames, grpcAddress }: ControlPlaneSettings) {
  const [ipAddresses, names] = [dnsNames.filter(isIP), dnsNames.filter((name) => isIP(name) === 0)]
  const listens = isIP(grpcAddress.host) !== 0 && !['0.0.0.0', '::'].includes(grpcAddress.host)
  return { dnsNames: names, ipAddresses: [...ipAddresses, ...(listens ? [grpcAddress.host] : [])] }
}

async function startSecure(settings: ControlPlaneSettings, log: Log, clock: Clock, parts: GrpcParts) {
  const { ads, authority, trust, authenticator, loads, taps, registry } = parts
  const { grpcAddress, trustDomain } = settings
  const certificate = new ServerCertificate({
    authority,
    ...serverNames(settings),
    clientRoots: () => trust.current.bundlePem,
    clock,
    log,
  })
  await certificate.start()
  trust.onChange(() => void certificate.renew())
  const stats = new CaStats()
  const behind = (state: RotationState): number =>
    ads.sidecars(trustDomain).filter((sidecar) => lagOf(state, sidecar) !== undefined).length
  registerCaMetrics(registry, { trust, stats, behind })
  const guard = new ConnectionGuard(clock)
  registerPortMetrics(registry, guard)
  const onAdmitted = (peer: string): void => guard.admitted(peer)
  const certificates = new ClientCertificates({ trustDomain, clock, bundle: () => trust.current.bundle })
  const admission = new CallAdmission({ authenticator, certificates, clock, log, onAdmitted })
  const server = new grpc.Server({ ...serverOptions, interceptors: [admission.interceptor] })
  server.addService(aggregatedDiscoveryService, ads.handlers(authenticator))
  server.addService(loadReportingService, loadHandlers(loads, authenticator))
  server.addService(tapService, tapHandlers(taps, authenticator))
  server.addService(
    certificateService,
    certificateHandlers({
      authority,
      authenticator,
      trustDomain,
      clock,
      log,
      issues: () => trust.current.issuesToWorkloads,
      stats,
    }),
  )
  const port = await bind(server, grpcAddress, certificate.credentials)
  guard.watch(server)
  certificates.watch(server)
  log.info({ name: 'grpc', address: formatAddress({ host: grpcAddress.host, port }) }, 'listening')
  return { server, certificate, guard, port }
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

/** Both gRPC listeners; `onStop` is called before connections are cut. Rejects with PORT_IN_USE, LISTEN_FAILED or CA_EXPIRED. */
export async function serveGrpc(
  settings: ControlPlaneSettings,
  clock: Clock,
  parts: GrpcParts,
  shutdown: Shutdown,
  onStop: () => void,
): Promise<GrpcPorts> {
  const secure = await startSecure(settings, parts.loads.log, clock, parts)
  const connections = new StuckConnections(clock)
  connections.watch(secure.server)
  shutdown.add('grpc', async () => {
    onStop()
    secure.certificate.stop()
    secure.guard.stop()
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
