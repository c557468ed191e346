/** Cluster and ClusterLoadAssignment -> what the data path balances over. */
import { parseSpiffeId } from '../../api/spiffe.ts'
import { unpackAs } from '../../api/xds/codec.ts'
import { httpProtocolOptions, transportSocketMatch, weftMetadata } from '../../api/xds/naming.ts'
import { fromStruct, type Json } from '../../api/xds/struct.ts'
import type {
  Cluster,
  ClusterLoadAssignment,
  LbEndpoint,
  Metadata,
  UpstreamTlsContext,
} from '../../api/xds/types.ts'
import type { ClusterConfig, EndpointConfig } from '../cluster/cluster-config.ts'
import type { DnsHosts } from '../dns/dns-endpoints.ts'
import { decodeBalancing } from './decode-balancing.ts'
import { decodeDns } from './decode-dns.ts'
import { decodeLimits, decodeOutlierDetection } from './decode-limits.ts'
import { ownerLabels } from '../telemetry/owner-labels.ts'
import { durationMs } from './duration.ts'
import type { Problems } from './problems.ts'

export const upstreamTlsName = 'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext'
const defaultConnectTimeoutMs = 1_000
/** Towards another sidecar, which closes after an hour: long enough to save handshakes, short enough to forget idle ones. */
const meshIdleTimeoutMs = 60_000

export type DecodedCluster = {
  readonly config: ClusterConfig
  /** The EDS name, or the endpoints that came along (STATIC), or their names (DNS). */
  readonly endpoints:
    | { readonly eds: string }
    | { readonly inline: readonly EndpointConfig[] }
    | { readonly dns: DnsHosts }
}

/** Metric labels of metadata: only strings, with Linkerd's prefix for the other side. */
function labelsOf(
  values: { readonly [key: string]: Json },
  names: Readonly<Record<string, string>>,
): Record<string, string> {
  const labels: Record<string, string> = {}
  for (const [key, label] of Object.entries(names)) {
    const value = values[key]
    if (typeof value === 'string' && value !== '') labels[label] = value
  }
  return labels
}

const clusterLabels = { service: 'dst_service', namespace: 'dst_namespace', authority: 'authority' }
const endpointLabels = {
  pod: 'dst_pod',
  deployment: 'dst_deployment',
  podTemplateHash: 'dst_pod_template_hash',
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function weftValues(metadata: Metadata | undefined): { readonly [key: string]: Json } {
  return fromStruct(metadata?.filterMetadata?.[weftMetadata])
}

function identitiesOf(context: UpstreamTlsContext | undefined): string[] {
  const validation = context?.commonTlsContext
  const matchers =
    validation?.combinedValidationContext?.defaultValidationContext?.matchTypedSubjectAltNames ??
    validation?.validationContext?.matchTypedSubjectAltNames ??
    []
  return matchers.flatMap((entry) => (entry.matcher?.exact === undefined ? [] : [entry.matcher.exact]))
}

function tlsOf(cluster: Cluster): {
  readonly tls: ClusterConfig['tls']
  readonly identities: readonly string[]
} {
  const matches = cluster.transportSocketMatches ?? []
  const mesh = matches.find(
    (entry) => unpackAs(upstreamTlsName, entry.transportSocket?.typedConfig) !== undefined,
  )
  if (mesh !== undefined) {
    return {
      tls: 'per-endpoint',
      identities: identitiesOf(unpackAs(upstreamTlsName, mesh.transportSocket?.typedConfig)),
    }
  }
  const whole = unpackAs(upstreamTlsName, cluster.transportSocket?.typedConfig)
  return whole === undefined
    ? { tls: 'never', identities: [] }
    : { tls: 'always', identities: identitiesOf(whole) }
}

/** The one version that the endpoints are to be spoken to in, if that is said. */
function versionOf({ typedExtensionProtocolOptions }: Cluster): Pick<ClusterConfig, 'http1' | 'http2'> {
  const options = unpackAs(httpProtocolOptions, typedExtensionProtocolOptions?.[httpProtocolOptions])
  const { http2ProtocolOptions, httpProtocolOptions: http1 } = options?.explicitHttpConfig ?? {}
  return { http2: http2ProtocolOptions !== undefined, http1: http1 !== undefined }
}

/** The authority that metrics show is the resource's own name: it comes from the control plane, not from a request. */
export function decodeCluster(cluster: Cluster, problems: Problems): DecodedCluster {
  const name = cluster.name ?? ''
  if (name === '') problems.add('name', 'is empty')
  const type = cluster.type ?? 'STATIC'
  if (type === 'ORIGINAL_DST') problems.add('type', `${type} is not supported`)
  const { tls, identities } = tlsOf(cluster)
  const values = weftValues(cluster.metadata)
  const queueTimeoutMs = values['queueTimeoutMs']
  const config: ClusterConfig = {
    name,
    connectTimeoutMs: durationMs(cluster.connectTimeout) ?? defaultConnectTimeoutMs,
    balancing: decodeBalancing(cluster, problems),
    limits: decodeLimits(cluster, typeof queueTimeoutMs === 'number' ? queueTimeoutMs : undefined, problems),
    outlierDetection: decodeOutlierDetection(cluster),
    labels: { ...labelsOf(values, clusterLabels), authority: name },
    tls,
    identities,
    idleTimeoutMs: meshIdleTimeoutMs,
    ...versionOf(cluster),
  }
  if (type === 'EDS') return { config, endpoints: { eds: cluster.edsClusterConfig?.serviceName || name } }
  const listed = decodeEndpoints(cluster.loadAssignment ?? {}, problems, 'load_assignment.')
  if (type === 'STATIC') return { config, endpoints: { inline: listed } }
  return { config, endpoints: { dns: decodeDns(cluster, listed, problems) } }
}

function zoneNames(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((name): name is string => typeof name === 'string') : []
}

/** An endpoint has one port, whatever family it is reached by. */
function otherAddressesOf(
  entry: LbEndpoint,
  port: number,
  path: string,
  problems: Problems,
): readonly string[] {
  return (entry.endpoint?.additionalAddresses ?? []).flatMap(({ address }, i) => {
    const { address: other, portValue = port } = address?.socketAddress ?? {}
    const where = `${path}.endpoint.additional_addresses[${i}]`
    if (other === undefined || other === '') problems.add(where, 'has no address')
    else if (portValue !== port) problems.add(where, `has another port than ${port}`)
    else return [other]
    return []
  })
}

function decodeEndpoint(
  entry: LbEndpoint,
  zone: string,
  path: string,
  problems: Problems,
): EndpointConfig | undefined {
  const address = entry.endpoint?.address?.socketAddress
  const port = address?.portValue ?? 0
  if (address?.address === undefined || address.address === '')
    problems.add(`${path}.endpoint.address`, 'is missing')
  if (port < 1 || port > 65_535)
    problems.add(`${path}.endpoint.address.socket_address.port_value`, `${port} is no port`)
  const weight = entry.loadBalancingWeight?.value ?? 1
  if (weight < 1) problems.add(`${path}.load_balancing_weight`, 'must be at least 1')
  if (
    entry.healthStatus !== undefined &&
    entry.healthStatus !== 'HEALTHY' &&
    entry.healthStatus !== 'UNKNOWN'
  )
    return undefined
  const values = weftValues(entry.metadata)
  const meshed = fromStruct(entry.metadata?.filterMetadata?.[transportSocketMatch])['tlsMode'] === 'weft'
  const { identity } = values
  if (typeof identity === 'string' && parseSpiffeId(identity) === undefined) {
    problems.add(`${path}.metadata`, `identity '${identity}' is no SPIFFE id of a workload`)
  }
  return {
    address: address?.address ?? '',
    port,
    otherAddresses: otherAddressesOf(entry, port, path, problems),
    weight,
    zone,
    forZones: zoneNames(values['forZones']),
    meshed,
    identity: typeof identity === 'string' ? identity : undefined,
    labels: { ...ownerLabels(textOf(values['owner']), 'dst_'), ...labelsOf(values, endpointLabels) },
  }
}

/** Endpoints that may be sent to; those that are draining or unhealthy are left out. */
export function decodeEndpoints(
  assignment: ClusterLoadAssignment,
  problems: Problems,
  path = '',
): readonly EndpointConfig[] {
  return (assignment.endpoints ?? []).flatMap((locality, l) =>
    (locality.lbEndpoints ?? []).flatMap((entry, e) => {
      const where = `${path}endpoints[${l}].lb_endpoints[${e}]`
      const endpoint = decodeEndpoint(entry, locality.locality?.zone ?? '', where, problems)
      return endpoint === undefined ? [] : [endpoint]
    }),
  )
}
