/** Bootstrap -> what a sidecar listens on, sends to and is told by. What cannot be honoured is refused, with its path. */
import { fromStruct, type Json } from '../../api/xds/struct.ts'
import { unpackAs } from '../../api/xds/codec.ts'
import type { Bootstrap, Cluster } from '../../api/xds/types.ts'
import type { Address } from '../../core/address.ts'
import { WeftError } from '../../core/errors.ts'
import { type DecodedCluster, decodeCluster, upstreamTlsName } from '../xds/decode-cluster.ts'
import { Problems } from '../xds/problems.ts'
import type { ClusterConfig } from '../cluster/cluster-config.ts'
import { decodeStaticListener, type StaticListenerConfig } from './decode-static-listener.ts'
import { decodeUpstreamTls, type TlsSettings } from './decode-tls.ts'
import { socketAddress } from './socket-address.ts'
import { bootstrapFromJson, readBootstrapFile } from './read-bootstrap.ts'

export type StaticCluster = {
  readonly config: ClusterConfig
  readonly endpoints: Exclude<DecodedCluster['endpoints'], { readonly eds: string }>
  readonly tls: TlsSettings | undefined
}

/** The control plane that dynamic_resources.ads_config leads to. */
export type BootstrapControlPlane = { readonly address: Address; readonly caFile: string | undefined }

export type BootstrapConfig = {
  readonly nodeId: string | undefined
  readonly nodeMetadata: { readonly [key: string]: Json }
  readonly adminAddress: Address | undefined
  readonly listeners: readonly StaticListenerConfig[]
  readonly clusters: readonly StaticCluster[]
  readonly controlPlane: BootstrapControlPlane | undefined
}

/** Reads `file`. Throws WeftError FILE_UNREADABLE, or BOOTSTRAP_INVALID whose detail lists every problem by its path. */
export function loadBootstrap(file: string): BootstrapConfig {
  const problems = new Problems()
  const message = bootstrapFromJson(readBootstrapFile(file), problems)
  const config = problems.any ? undefined : decodeBootstrap(message, problems)
  if (config === undefined || problems.any)
    throw new WeftError('BOOTSTRAP_INVALID', `${file} is not usable`, { detail: problems.list })
  return config
}

export function decodeBootstrap(message: Bootstrap, problems: Problems): BootstrapConfig {
  const { staticResources, admin, node } = message
  const adsCluster = adsClusterName(message, problems)
  const clusters = staticResources?.clusters ?? []
  const paths = clusters.map((_cluster, i) => `static_resources.clusters[${i}]`)
  const used = clusters.flatMap((cluster, i) =>
    cluster.name === adsCluster ? [] : [decodeStaticCluster(cluster, paths[i] as string, problems)],
  )
  const names = new Set(used.map((cluster) => cluster.config.name))
  const listeners = (staticResources?.listeners ?? []).map((listener, i) =>
    decodeStaticListener(listener, names, `static_resources.listeners[${i}]`, problems),
  )
  if ((staticResources?.secrets ?? []).length > 0)
    problems.add('static_resources.secrets', 'are not supported: name files in the TLS context')
  if (listeners.length === 0 && adsCluster === undefined)
    problems.add('static_resources.listeners', 'is empty, and there is no dynamic_resources.ads_config')
  return {
    nodeId: node?.id,
    nodeMetadata: fromStruct(node?.metadata),
    adminAddress:
      admin?.address === undefined ? undefined : socketAddress(admin.address, 'admin.address', problems, 0),
    listeners,
    clusters: used,
    controlPlane: controlPlaneOf(clusters, adsCluster, problems),
  }
}

function decodeStaticCluster(cluster: Cluster, path: string, problems: Problems): StaticCluster {
  const own = new Problems()
  if (cluster.type === 'EDS') own.add('type', 'EDS is not supported in static_resources')
  const { config, endpoints } = decodeCluster(cluster, own)
  const context = unpackAs(upstreamTlsName, cluster.transportSocket?.typedConfig)
  const tls =
    context === undefined ? undefined : decodeUpstreamTls(context, 'transport_socket.typed_config', own)
  if (cluster.transportSocket !== undefined && context === undefined)
    own.add('transport_socket.typed_config', 'must be an UpstreamTlsContext')
  const listed = staticEndpoints(endpoints)
  const count = 'dns' in listed ? listed.dns.hosts.length : listed.inline.length
  if (count === 0 && !own.any) own.add('load_assignment', 'names no endpoint')
  problems.list.push(...own.list.map((problem) => `${path}.${problem}`))
  return { config, endpoints: listed, tls }
}

/** Nobody is there to be asked for others. */
function staticEndpoints(endpoints: DecodedCluster['endpoints']): StaticCluster['endpoints'] {
  return 'eds' in endpoints ? { inline: [] } : endpoints
}

function adsClusterName(message: Bootstrap, problems: Problems): string | undefined {
  const { adsConfig, ldsConfig, cdsConfig } = message.dynamicResources ?? {}
  for (const [name, source] of [
    ['lds_config', ldsConfig],
    ['cds_config', cdsConfig],
  ] as const) {
    if (source !== undefined && source.ads === undefined)
      problems.add(`dynamic_resources.${name}`, 'must be ads: weft has one stream for everything')
  }
  if (adsConfig === undefined) return undefined
  const path = 'dynamic_resources.ads_config'
  if (adsConfig.apiType !== 'DELTA_GRPC' && adsConfig.apiType !== 'AGGREGATED_DELTA_GRPC')
    problems.add(`${path}.api_type`, 'must be DELTA_GRPC')
  const name = adsConfig.grpcServices?.[0]?.envoyGrpc?.clusterName
  if (name === undefined)
    problems.add(`${path}.grpc_services`, 'must name a cluster (envoy_grpc.cluster_name)')
  return name
}

/** The control plane's own cluster is for gRPC alone: its address and roots are all that is read. */
function controlPlaneOf(
  clusters: readonly Cluster[],
  name: string | undefined,
  problems: Problems,
): BootstrapControlPlane | undefined {
  if (name === undefined) return undefined
  const at = clusters.findIndex((cluster) => cluster.name === name)
  const cluster = clusters[at]
  if (cluster === undefined) {
    problems.add(
      'dynamic_resources.ads_config.grpc_services',
      `names the cluster '${name}', which is not there`,
    )
    return undefined
  }
  const path = `static_resources.clusters[${at}]`
  const endpoint = cluster.loadAssignment?.endpoints?.[0]?.lbEndpoints?.[0]?.endpoint
  const address = socketAddress(endpoint?.address, `${path}.load_assignment`, problems)
  const context = unpackAs(upstreamTlsName, cluster.transportSocket?.typedConfig)
  return { address, caFile: context?.commonTlsContext?.validationContext?.trustedCa?.filename }
}
