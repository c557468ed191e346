/** A listener of static_resources: an address, TLS or not, and HTTP by routes or bytes to a cluster. */
import { unpackAs } from '../../api/xds/codec.ts'
import type { FilterChain, HttpConnectionManager, Listener, TcpProxy } from '../../api/xds/types.ts'
import type { Address } from '../../core/address.ts'
import { managerName, tcpProxyName } from '../xds/decode-listener.ts'
import { decodeRoutes } from '../xds/decode-routes.ts'
import { Problems } from '../xds/problems.ts'
import type { VirtualHostRules } from '../route/route-rule.ts'
import { decodeHttpFilters, withFaults, withLimits } from './decode-http-filters.ts'
import { decodeDownstreamTls, type DownstreamTlsSettings } from './decode-tls.ts'
import { socketAddress } from './socket-address.ts'

const downstreamTlsName = 'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext'

export type StaticListenerConfig = {
  readonly name: string
  readonly address: Address
  readonly direction: 'inbound' | 'outbound'
  readonly tls: DownstreamTlsSettings | undefined
  readonly serve:
    | {
        readonly kind: 'http'
        readonly hosts: readonly VirtualHostRules[]
        /** 'auto': as the client's first bytes, or its ALPN, say. */
        readonly codec: 'auto' | 'http1' | 'http2'
      }
    | { readonly kind: 'tcp'; readonly cluster: string }
}

export function decodeStaticListener(
  listener: Listener,
  clusters: ReadonlySet<string>,
  path: string,
  problems: Problems,
): StaticListenerConfig {
  const own = new Problems()
  const chains = listener.filterChains ?? []
  const chain = chains[0] ?? {}
  if (chains.length !== 1) own.add('filter_chains', `must be one, is ${chains.length}`)
  if (chain.filterChainMatch !== undefined) own.add('filter_chains[0].filter_chain_match', 'is not supported')
  if (listener.useOriginalDst?.value === true)
    own.add('use_original_dst', 'is not supported: use --mode redirect')
  if ((listener.listenerFilters ?? []).length > 0) own.add('listener_filters', 'are not supported')
  if ((listener.additionalAddresses ?? []).length > 0) own.add('additional_addresses', 'are not supported')
  const config: StaticListenerConfig = {
    name: listener.name ?? '',
    address: socketAddress(listener.address, 'address', own, 0),
    direction: listener.trafficDirection === 'INBOUND' ? 'inbound' : 'outbound',
    tls: chainTls(chain, own),
    serve: chainServe(chain, clusters, own),
  }
  // What a filter of the listener has wrong, all of its routes have.
  problems.list.push(...new Set(own.list.map((problem) => `${path}.${problem}`)))
  return config
}

function chainTls(chain: FilterChain, problems: Problems): DownstreamTlsSettings | undefined {
  if (chain.transportSocket === undefined) return undefined
  const path = 'filter_chains[0].transport_socket.typed_config'
  const context = unpackAs(downstreamTlsName, chain.transportSocket.typedConfig)
  if (context !== undefined) return decodeDownstreamTls(context, path, problems)
  problems.add(path, 'must be a DownstreamTlsContext')
  return undefined
}

function chainServe(
  chain: FilterChain,
  clusters: ReadonlySet<string>,
  problems: Problems,
): StaticListenerConfig['serve'] {
  const filters = chain.filters ?? []
  const path = 'filter_chains[0].filters'
  if (filters.length !== 1) problems.add(path, `must be one, is ${filters.length}`)
  const config = filters[0]?.typedConfig
  const manager = unpackAs(managerName, config)
  if (manager !== undefined) return httpServe(manager, clusters, `${path}[0].typed_config`, problems)
  const tcp = unpackAs(tcpProxyName, config)
  if (tcp !== undefined) return tcpServe(tcp, clusters, `${path}[0].typed_config`, problems)
  problems.add(path, 'must hold an HttpConnectionManager or a TcpProxy')
  return { kind: 'tcp', cluster: '' }
}

const codecs: ReadonlyMap<string, 'auto' | 'http1' | 'http2'> = new Map([
  ['AUTO', 'auto'],
  ['HTTP1', 'http1'],
  ['HTTP2', 'http2'],
])

function httpServe(
  manager: HttpConnectionManager,
  clusters: ReadonlySet<string>,
  path: string,
  problems: Problems,
): StaticListenerConfig['serve'] {
  const { codecType = 'AUTO', rds, routeConfig = {} } = manager
  const codec = codecs.get(codecType)
  if (codec === undefined) problems.add(`${path}.codec_type`, `${codecType} is not supported`)
  const filters = decodeHttpFilters(manager, path, problems)
  if (rds !== undefined) problems.add(`${path}.rds`, 'is not supported in static_resources')
  else if (manager.routeConfig === undefined) problems.add(`${path}.route_config`, 'is missing')
  const here = `${path}.route_config`
  const routes = decodeRoutes(withFaults(routeConfig, filters, here, problems), problems, `${here}.`)
  for (const cluster of routes.clusters) {
    if (!clusters.has(cluster)) problems.add(here, `names the cluster '${cluster}', which is not there`)
  }
  const hosts = withLimits(routes.hosts, routeConfig, filters, here, problems)
  return { kind: 'http', hosts, codec: codec ?? 'auto' }
}

function tcpServe(
  { cluster, weightedClusters }: TcpProxy,
  clusters: ReadonlySet<string>,
  path: string,
  problems: Problems,
): StaticListenerConfig['serve'] {
  if (weightedClusters !== undefined) problems.add(`${path}.weighted_clusters`, 'is not supported')
  else if (cluster === undefined || !clusters.has(cluster))
    problems.add(`${path}.cluster`, `names the cluster '${cluster ?? ''}', which is not there`)
  return { kind: 'tcp', cluster: cluster ?? '' }
}
