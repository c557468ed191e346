/** Services -> Cluster and ClusterLoadAssignment. */
import { formatSpiffeId } from '../../api/spiffe.ts'
import { pack } from '../../api/xds/codec.ts'
import {
  defaultSecret,
  inboundClusterName,
  meshTlsMode,
  rootCaSecret,
  transportSocketMatch,
  weftMetadata,
} from '../../api/xds/naming.ts'
import { type Json, toStruct } from '../../api/xds/struct.ts'
import type {
  Cluster,
  ClusterLoadAssignment,
  ConfigSource,
  LbEndpoint,
  TransportSocket,
} from '../../api/xds/types.ts'
import type { ServiceEndpoint } from '../model/endpoints.ts'
import { externalTarget, portOf } from '../model/external-name.ts'
import type { MeshModel } from '../model/mesh-model.ts'
import type { ServicePort, Workload } from '../model/objects.ts'
import { trafficOf } from '../model/traffic.ts'
import type { ClientKind } from './client-kind.ts'
import { clusterPolicy } from './cluster-policy.ts'
import type { Destination } from './destination.ts'
import { httpOptions } from './http-options.ts'

export const ads: ConfigSource = { ads: {}, resourceApiVersion: 'V3' }
export const connectTimeout = { seconds: 1 }

export function identityOf(workload: Workload, trustDomain: string): string {
  return formatSpiffeId({
    trustDomain,
    namespace: workload.namespace,
    serviceAccount: workload.serviceAccount,
  })
}

function meshSocket(identities: readonly string[]): TransportSocket {
  const context = {
    commonTlsContext: {
      tlsParams: { tlsMinimumProtocolVersion: 'TLSv1_3', tlsMaximumProtocolVersion: 'TLSv1_3' },
      alpnProtocols: ['weft-h1'],
      tlsCertificateSdsSecretConfigs: [{ name: defaultSecret, sdsConfig: ads }],
      combinedValidationContext: {
        defaultValidationContext: {
          matchTypedSubjectAltNames: identities.map((exact) => ({
            sanType: 'URI' as const,
            matcher: { exact },
          })),
        },
        validationContextSdsSecretConfig: { name: rootCaSecret, sdsConfig: ads },
      },
    },
  } as const
  return {
    name: 'envoy.transport_sockets.tls',
    typedConfig: pack('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', context),
  }
}

function rawSocket(): TransportSocket {
  return {
    name: 'envoy.transport_sockets.raw_buffer',
    typedConfig: pack('envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer', {}),
  }
}

export function meshMatches(
  endpoints: readonly ServiceEndpoint[],
  trustDomain: string,
): Cluster['transportSocketMatches'] {
  const identities = endpoints.flatMap(({ meshed, workload }) =>
    meshed && workload !== undefined ? [identityOf(workload, trustDomain)] : [],
  )
  return [
    {
      name: 'weft-mtls',
      match: toStruct(meshTlsMode),
      transportSocket: meshSocket([...new Set(identities)].toSorted()),
    },
    { name: 'plaintext', match: toStruct({}), transportSocket: rawSocket() },
  ]
}

type Served = { readonly key: string; readonly port: ServicePort }

/** The Service and port that a destination is, or is another name of; undefined: a host outside, or a broken name. */
function servedAt(model: MeshModel, { service, key, port }: Destination): Served | undefined {
  const target = externalTarget(model, service)
  if (target === undefined) return { key, port }
  const at = target.kind === 'service' ? portOf(target.service, port.port) : undefined
  return target.kind === 'service' && at !== undefined ? { key: target.key, port: at } : undefined
}

function endpointsOf(model: MeshModel, destination: Destination): readonly ServiceEndpoint[] {
  const served = servedAt(model, destination)
  return served === undefined ? [] : model.endpoints(served.key, served.port.name)
}

/** A host outside: its name is resolved by whoever sends there. Stock gRPC clients know one kind of that. */
function resolvedCluster(name: string, host: string, port: number, kind: ClientKind): Cluster {
  const address = { socketAddress: { address: host, portValue: port } }
  return {
    name,
    type: kind === 'grpc' ? 'LOGICAL_DNS' : 'STRICT_DNS',
    connectTimeout,
    dnsLookupFamily: 'V4_PREFERRED',
    respectDnsTtl: true,
    loadAssignment: { clusterName: name, endpoints: [{ lbEndpoints: [{ endpoint: { address } }] }] },
  }
}

/** Where load is reported to: a gRPC client asks its clusters, others know by themselves. */
function lrs(kind: ClientKind): Pick<Cluster, 'lrsServer'> {
  return kind === 'grpc' ? { lrsServer: { self: {}, resourceApiVersion: 'V3' } } : {}
}

/** `destination` is undefined for a service that has gone: stock gRPC clients cannot have their clusters deleted. */
export function buildCluster(
  model: MeshModel,
  name: string,
  destination: Destination | undefined,
  kind: ClientKind,
  trustDomain: string,
): Cluster {
  const listed: Cluster = {
    name,
    type: 'EDS',
    edsClusterConfig: { edsConfig: ads, serviceName: name },
    connectTimeout,
  }
  if (destination === undefined) return { ...listed, ...lrs(kind), lbPolicy: 'ROUND_ROBIN' }
  const { service, port } = destination
  const target = externalTarget(model, service)
  const outside = target?.kind === 'host'
  const base = outside ? resolvedCluster(name, target.host, port.port, kind) : listed
  const settings = trafficOf(model, service, port)
  const policy = clusterPolicy(settings, kind)
  if (kind === 'grpc') return { ...base, ...lrs(kind), ...policy }
  const pool = settings.connectionPool
  const facts = {
    service: service.name,
    namespace: service.namespace,
    port: port.port,
    // Envoy has no field for it.
    ...(pool !== undefined && { queueTimeoutMs: pool.queueTimeoutMs }),
  }
  return {
    ...base,
    ...policy,
    ...httpOptions(servedAt(model, destination)?.port ?? port, kind),
    metadata: { filterMetadata: { [weftMetadata]: toStruct(facts) } },
    // A gateway has no certificate of this mesh: it speaks in clear, and is let in where that is permitted.
    ...(kind === 'sidecar' &&
      !outside && { transportSocketMatches: meshMatches(endpointsOf(model, destination), trustDomain) }),
  }
}

function endpointMetadata(
  { workload, meshed, forZones }: ServiceEndpoint,
  trustDomain: string,
): NonNullable<LbEndpoint['metadata']> {
  const facts: Record<string, Json> = {}
  if (forZones.length > 0) facts['forZones'] = forZones
  if (workload !== undefined) {
    facts['pod'] = workload.name
    facts['namespace'] = workload.namespace
    if (workload.deployment !== undefined) facts['deployment'] = workload.deployment
    if (workload.owner !== undefined) facts['owner'] = workload.owner
    if (workload.podTemplateHash !== undefined) facts['podTemplateHash'] = workload.podTemplateHash
    if (meshed) facts['identity'] = identityOf(workload, trustDomain)
  }
  const socketMatch = meshed ? { [transportSocketMatch]: toStruct(meshTlsMode) } : {}
  return { filterMetadata: { ...socketMatch, [weftMetadata]: toStruct(facts) } }
}

export function lbEndpoint(endpoint: ServiceEndpoint, kind: ClientKind, trustDomain: string): LbEndpoint {
  const { address, otherAddresses, port } = endpoint
  const at = (host: string) => ({ address: { socketAddress: { address: host, portValue: port } } })
  const healthStatus = 'HEALTHY'
  if (kind === 'grpc') return { endpoint: at(address), healthStatus }
  const others = otherAddresses.length === 0 ? {} : { additionalAddresses: otherAddresses.map(at) }
  const metadata = endpointMetadata(endpoint, trustDomain)
  return { endpoint: { ...at(address), ...others }, healthStatus, metadata }
}

/** One locality per zone; both fields of it are what stock gRPC clients insist on. */
export function buildEndpoints(
  model: MeshModel,
  name: string,
  destination: Destination | undefined,
  kind: ClientKind,
  trustDomain: string,
): ClusterLoadAssignment {
  if (destination === undefined) return { clusterName: name, endpoints: [] }
  const { service, port } = destination
  const hints = trafficOf(model, service, port).balancer?.zonePreference ?? 'hints'
  const byZone = new Map<string, ServiceEndpoint[]>()
  for (const listed of endpointsOf(model, destination)) {
    // Nobody follows hints that are not there.
    const endpoint = hints === 'hints' ? listed : { ...listed, forZones: [] }
    const zone = byZone.get(endpoint.zone)
    if (zone === undefined) byZone.set(endpoint.zone, [endpoint])
    else zone.push(endpoint)
  }
  const endpoints = [...byZone].map(([zone, members]) => ({
    locality: { zone },
    loadBalancingWeight: { value: members.length },
    lbEndpoints: members.map((member) => lbEndpoint(member, kind, trustDomain)),
  }))
  return { clusterName: name, endpoints }
}

/** The application's own port, the same for every workload. */
export function buildInboundCluster(port: number): Cluster {
  const name = inboundClusterName(port)
  const address = { socketAddress: { address: '127.0.0.1', portValue: port } }
  return {
    name,
    type: 'STATIC',
    connectTimeout,
    loadAssignment: { clusterName: name, endpoints: [{ lbEndpoints: [{ endpoint: { address } }] }] },
  }
}
