/** The sidecar's side of the control plane: its identity, what it is told, and how it keeps both. */
import path from 'node:path'
import * as grpc from '@grpc/grpc-js'
import { formatSpiffeId } from '../api/spiffe.ts'
import { inboundListenerName } from '../api/xds/naming.ts'
import { toStruct } from '../api/xds/struct.ts'
import type { Node } from '../api/xds/types.ts'
import { formatAddress } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import { failureFields, WeftError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Registry } from '../core/metrics.ts'
import { OutageLog } from '../core/outage-log.ts'
import { version } from '../core/version.ts'
import type { ConfigSink, Discovery } from './config-sink.ts'
import { GrpcCertificateIssuer } from './identity/certificate-issuer.ts'
import { controlPlaneChannel } from './identity/control-plane-channel.ts'
import { readRoots, readToken } from './identity/control-plane-files.ts'
import { IdentitySource } from './identity/identity-source.ts'
import { FileIdentityStore } from './identity/identity-store.ts'
import { TlsClient } from './identity/tls-client.ts'
import { TlsServer } from './identity/tls-server.ts'
import { PeerVerifier } from './identity/verify-peer.ts'
import type { MeshAccept } from './inbound.ts'
import type { MeshDial } from './pool/dial.ts'
import type { ProxySettings } from './settings.ts'
import { registerIdentityMetrics, registerTlsMetrics, registerXdsMetrics } from './telemetry/mesh-metrics.ts'
import { LoadDifferences, type LoadSources } from './telemetry/load-differences.ts'
import type { Companion } from './xds/companion.ts'
import { TlsStats } from './telemetry/tls-stats.ts'
import { DeltaClient, type OnResources } from './xds/delta-client.ts'
import { LastKnownGood } from './xds/last-known-good.ts'
import type { Tap } from './telemetry/tap.ts'
import { LoadClient } from './xds/load-client.ts'
import { MeshConfig } from './xds/mesh-config.ts'
import { TapClient } from './xds/tap-client.ts'

export type Mesh = {
  /** undefined without a mesh. */
  readonly identity: IdentitySource | undefined
  readonly dialMesh: MeshDial
  readonly acceptMesh: MeshAccept
  readonly discovery: Discovery
  readonly ready: () => true | string
  readonly dump: () => object
  /** The clusters that the routes of a destination in force lead to. */
  readonly clustersOf: (destination: string) => readonly string[]
  /** Begins to enrol and to listen to the control plane; what comes goes into `sink`. */
  readonly start: (sink: ConfigSink & LoadSources, registry: Registry) => void
  readonly stop: () => Promise<void>
}

type Required = {
  readonly controlPlane: NonNullable<ProxySettings['controlPlane']>
  readonly caFile: string
  readonly tokenFile: string
}

/** Everything that is missing at once. */
function required(settings: ProxySettings): Required {
  const { controlPlane, controlPlaneCa, tokenFile } = settings
  const missing = [
    ...(controlPlane === undefined ? ['--control-plane is required'] : []),
    ...(controlPlaneCa === undefined ? ['--control-plane-ca is required'] : []),
    ...(tokenFile === undefined ? ['--token-file is required'] : []),
  ]
  if (controlPlane === undefined || controlPlaneCa === undefined || tokenFile === undefined) {
    throw new WeftError('CONFIG_INVALID', 'a sidecar of a mesh needs its control plane', { detail: missing })
  }
  return { controlPlane, caFile: controlPlaneCa, tokenFile }
}

function nodeOf(settings: ProxySettings, { current, certificateRoot }: IdentitySource): Node {
  const { namespace, pod, serviceAccount, trustDomain, zone, deployment, owner, adminAddress } = settings
  const ownedBy = deployment === undefined ? owner : `deployment/${deployment}`
  return {
    id: `${pod}.${namespace}`,
    cluster: serviceAccount,
    ...(zone === undefined ? {} : { locality: { zone } }),
    userAgentName: 'weft',
    userAgentVersion: version,
    metadata: toStruct({
      NAMESPACE: namespace,
      POD: pod,
      SERVICE_ACCOUNT: serviceAccount,
      TRUST_DOMAIN: trustDomain,
      WEFT: 'sidecar',
      ...(ownedBy === undefined ? {} : { OWNER: ownedBy }),
      ...(current === undefined ? {} : { CERTIFICATE_NOT_AFTER_MS: current.notAfterMs }),
      ...(certificateRoot === undefined ? {} : { CERTIFICATE_ROOT: certificateRoot }),
      ADMIN_ADDRESS: formatAddress(adminAddress),
    }),
  }
}

type Logs = { readonly log: Log; readonly outages: OutageLog }

function identityOf(settings: ProxySettings, needs: Required, clock: Clock, logs: Logs): IdentitySource {
  const { namespace, serviceAccount, trustDomain, state } = settings
  const identity: IdentitySource = new IdentitySource({
    principal: formatSpiffeId({ trustDomain, namespace, serviceAccount }),
    issuer: new GrpcCertificateIssuer({
      controlPlane: settings.certificateAuthority ?? needs.controlPlane,
      roots: () => issuerRoots(settings, needs, identity),
      tokenFile: settings.certificateAuthorityTokenFile ?? needs.tokenFile,
    }),
    trustBundlePem: readRoots(needs.caFile).toString(),
    clock,
    ...logs,
    ...(state === undefined ? {} : { store: new FileIdentityStore(path.join(state, 'identity')) }),
  })
  return identity
}

function issuerRoots(settings: ProxySettings, needs: Required, identity: IdentitySource): Buffer {
  const { certificateAuthority, certificateAuthorityCa } = settings
  if (certificateAuthority === undefined || certificateAuthorityCa === undefined)
    return controlPlaneRoots(needs, identity)
  return readRoots(certificateAuthorityCa)
}

/** What the file says, which a pod is given when it is made, and what the control plane has told since of its new root. */
function controlPlaneRoots({ caFile }: Required, { bundle }: IdentitySource): Buffer {
  return Buffer.concat([readRoots(caFile), Buffer.from(bundle.pem)])
}

function makeClient(
  settings: ProxySettings,
  needs: Required,
  clock: Clock,
  logs: Logs,
  identity: IdentitySource,
  onResources: OnResources,
  companions: readonly Companion[],
): DeltaClient {
  const client = new DeltaClient({
    target: formatAddress(needs.controlPlane),
    dial: () => {
      const metadata = new grpc.Metadata()
      metadata.set('authorization', `Bearer ${readToken(needs.tokenFile)}`)
      // Beside the token: it is believed while nobody can say whether the token is to be.
      const own = identity.readiness() === true ? identity.current : undefined
      return { ...controlPlaneChannel(needs.controlPlane, controlPlaneRoots(needs, identity), own), metadata }
    },
    node: () => nodeOf(settings, identity),
    clock,
    ...logs,
    onResources,
    companions,
    onConnected: () => identity.controlPlaneIsBack(),
  })
  identity.onChange(() => client.tellNode())
  return client
}

function meshTls(
  identities: IdentitySource,
  trustDomain: string,
  clock: Clock,
  stats: TlsStats,
): Pick<Mesh, 'dialMesh' | 'acceptMesh'> {
  const verifier = new PeerVerifier({ trustDomain, clock })
  const client = new TlsClient({ identities, verifier, clock })
  const server = new TlsServer({ identities, verifier, clock })
  return {
    dialMesh: (target) => stats.dialled(client.connect(target)),
    acceptMesh: (socket, onSecure, onRefused) =>
      server.accept(
        socket,
        (...secure) => {
          stats.count('inbound', 'ok')
          onSecure(...secure)
        },
        (error) => {
          stats.count('inbound', error.code)
          onRefused(error)
        },
      ),
  }
}

/** What is told beside the configuration: load, and what somebody looks at. */
function companions(
  {
    settings,
    identity,
    clock,
    log,
    tap,
  }: {
    readonly settings: ProxySettings
    readonly identity: IdentitySource
    readonly clock: Clock
    readonly log: Log
    readonly tap: Tap
  },
  sources: LoadSources,
): readonly Companion[] {
  const node = (): Node => nodeOf(settings, identity)
  const loads = new LoadClient({ node, clock, log, differences: new LoadDifferences(sources) })
  const taps = new TapClient({ node, clock, log, tap })
  return [loads.stream, taps.stream]
}

const keptInbound = 'the control plane does not answer: who may call this workload is as it was kept on disk'

/** Brings back what was in force before a restart. */
function keepOnDisk(folder: string, config: MeshConfig, clock: Clock, log: Log): LastKnownGood {
  const kept = new LastKnownGood({ folder, clock, log, snapshot: () => config.snapshot() })
  const resources = kept.load()
  config.restore(resources)
  if (resources.length > 0)
    log.info({ resources: resources.length }, 'the configuration kept on disk is in force')
  return kept
}

/** A sink that is not there yet would lose what is restored from disk: the configuration is made when both sides are. */
export function makeMesh(settings: ProxySettings, log: Log, clock: Clock, tap: Tap): Mesh {
  const needs = required(settings)
  const tls = new TlsStats()
  // Whatever gRPC has to say reaches us as an error, and is said once, in our own words.
  grpc.setLogVerbosity(grpc.logVerbosity.NONE)
  const logs: Logs = { log, outages: new OutageLog(log) }
  const identity = identityOf(settings, needs, clock, logs)
  let config: MeshConfig | undefined
  let client: DeltaClient | undefined
  let kept: LastKnownGood | undefined
  const discovery: Discovery = {
    resolve: (name) => config?.resolve(name) ?? Promise.resolve('unavailable'),
    touch: (name) => config?.touch(name),
  }
  const start = (sink: ConfigSink & LoadSources, registry: Registry): void => {
    const stream = makeClient(
      settings,
      needs,
      clock,
      logs,
      identity,
      (...received) => config?.receive(...received) ?? [],
      companions({ settings, identity, clock, log, tap }, sink),
    )
    client = stream
    config = new MeshConfig({
      sink,
      clock,
      subscriptions: stream,
      connected: () => stream.stats.connected,
      inboundListener: inboundListenerName(settings.namespace, settings.pod),
      onTrustBundle: (pem) => takeTrustBundle(identity, pem, log),
      // Who may call us must not be forgotten by a crash.
      onChange: (ownSide) => (ownSide ? kept?.writeNow() : kept?.changed()),
      onKeptInbound: () => log.warn({}, keptInbound),
    })
    if (settings.state !== undefined) kept = keepOnDisk(settings.state, config, clock, log)
    registerIdentityMetrics(registry, identity)
    registerXdsMetrics(registry, stream.stats, clock.wallMs)
    registerTlsMetrics(registry, tls)
    void identity.start()
    stream.start()
  }
  return {
    identity,
    ...meshTls(identity, settings.trustDomain, clock, tls),
    discovery,
    ready: () => config?.ready() ?? 'starting',
    dump: () => config?.dump() ?? {},
    clustersOf: (destination) => config?.clustersOf(destination) ?? [],
    start,
    stop: async () => {
      client?.close()
      identity.stop()
      await kept?.flush()
    },
  }
}

function takeTrustBundle(identity: IdentitySource, pem: string, log: Log): void {
  try {
    identity.setTrustBundle(pem)
  } catch (error) {
    log.error(failureFields(error), 'the trust bundle is refused; the one before stays')
  }
}
