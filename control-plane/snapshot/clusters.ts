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
import { toStruct } from '../../api/xds/struct.ts'
import type {
  Cluster,
  ClusterLoadAssignment,
  ConfigSource,
  LbEndpoint,
  TransportSocket,
} from '../../api/xds/types.ts'
import type { MeshModel, ServiceEndpoint } from '../model/mesh-model.ts'
import type { Workload } from '../model/objects.ts'
import type { ClientKind } from './client-kind.ts'
import type { Destination } from './destination.ts'

export const ads: ConfigSource = { ads: {}, resourceApiVersion: 'V3' }
const connectTimeout = { seconds: 1 }

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

function meshMatches(
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

/** `destination` is undefined for a service that has gone: stock gRPC clients cannot have their clusters deleted. */
export function buildCluster(
  model: MeshModel,
  name: string,
  destination: Destination | undefined,
  kind: ClientKind,
  trustDomain: string,
): Cluster {
  const base: Cluster = {
    name,
    type: 'EDS',
    edsClusterConfig: { edsConfig: ads, serviceName: name },
    connectTimeout,
  }
  if (kind === 'grpc' || destination === undefined) return { ...base, lbPolicy: 'ROUND_ROBIN' }
  const { service, key, port } = destination
  const labels = toStruct({ service: service.name, namespace: service.namespace, port: port.port })
  const endpoints = model.endpoints(key, port.name)
  return {
    ...base,
    lbPolicy: 'LEAST_REQUEST',
    metadata: { filterMetadata: { [weftMetadata]: labels } },
    transportSocketMatches: meshMatches(endpoints, trustDomain),
  }
}

function endpointMetadata(
  { workload, meshed }: ServiceEndpoint,
  trustDomain: string,
): NonNullable<LbEndpoint['metadata']> {
  const facts: Record<string, string> = {}
  if (workload !== undefined) {
    facts['pod'] = workload.name
    facts['namespace'] = workload.namespace
    if (workload.deployment !== undefined) facts['deployment'] = workload.deployment
    if (workload.podTemplateHash !== undefined) facts['podTemplateHash'] = workload.podTemplateHash
    if (meshed) facts['identity'] = identityOf(workload, trustDomain)
  }
  const socketMatch = meshed ? { [transportSocketMatch]: toStruct(meshTlsMode) } : {}
  return { filterMetadata: { ...socketMatch, [weftMetadata]: toStruct(facts) } }
}

function lbEndpoint(endpoint: ServiceEndpoint, kind: ClientKind, trustDomain: string): LbEndpoint {
  const { address, port } = endpoint
  const base: LbEndpoint = {
    endpoint: { address: { socketAddress: { address, portValue: port } } },
    healthStatus: 'HEALTHY',
  }
  return kind === 'grpc' ? base : { ...base, metadata: endpointMetadata(endpoint, trustDomain) }
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
  const byZone = new Map<string, ServiceEndpoint[]>()
  for (const endpoint of model.endpoints(destination.key, destination.port.name)) {
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
