/** Destinations and workloads -> Listener. */
import { ports } from '../../api/ports.ts'
import { pack } from '../../api/xds/codec.ts'
import {
  defaultSecret,
  faultFilter,
  httpInspector,
  inboundClusterName,
  rootCaSecret,
  weftMetadata,
} from '../../api/xds/naming.ts'
import { toStruct } from '../../api/xds/struct.ts'
import type {
  Address,
  FilterChain,
  HttpFilter,
  Listener,
  TcpProxy,
  TransportSocket,
} from '../../api/xds/types.ts'
import { formatPortRanges, includesPort, type PortRange } from '../../core/port-ranges.ts'
import { backendName } from './route-filters.ts'
import type { WeightedBackend } from '../model/rule.ts'
import type { Workload } from '../model/objects.ts'
import type { PortAccess, WorkloadPort } from '../model/access.ts'
import type { RateLimitSettings, TrafficSettings } from '../model/traffic-settings.ts'
import { httpAccessFilters, networkAccessFilters } from './access.ts'
import { ads } from './clusters.ts'
import { limitActions, limitFilter } from './rate-limit.ts'

export const managerName = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'
const managerFilter = 'envoy.filters.network.http_connection_manager'

export function router(): HttpFilter {
  return {
    name: 'envoy.filters.http.router',
    typedConfig: pack('envoy.extensions.filters.http.router.v3.Router', {}),
  }
}

/** Does nothing by itself: each route says what it does there. */
function idleFault(): HttpFilter {
  return {
    name: faultFilter,
    typedConfig: pack('envoy.extensions.filters.http.fault.v3.HTTPFault', {}),
  }
}

type WeightedName = { readonly name: string; readonly weight: number }
/** What becomes of a destination's connections that are not HTTP. */
export type TcpListening = { readonly backends: readonly WeightedBackend[]; readonly opaque: boolean }

function tcpChain(filter: TcpProxy): FilterChain {
  return {
    name: 'tcp',
    filters: [
      {
        name: 'envoy.filters.network.tcp_proxy',
        typedConfig: pack('envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', filter),
      },
    ],
  }
}

function clustersOf({ backends }: TcpListening): readonly WeightedName[] {
  return backends.flatMap(({ backend, weight }) =>
    backend === undefined ? [] : [{ name: backendName(backend), weight }],
  )
}

/** For clients that take connections themselves, and not only requests. */
export function tcpListening(
  statPrefix: string,
  clusters: readonly WeightedName[],
  opaque: boolean,
): Partial<Listener> {
  const inspector = {
    name: httpInspector,
    typedConfig: pack('envoy.extensions.filters.listener.http_inspector.v3.HttpInspector', {}),
  }
  return {
    defaultFilterChain: tcpChain({ statPrefix, weightedClusters: { clusters } }),
    listenerFilters: opaque ? [] : [inspector],
  }
}

/** `routeName` is the destination's canonical name, the same for all names that clients use for it. */
export function buildDestinationListener(
  name: string,
  routeName: string,
  { fault }: Pick<TrafficSettings, 'fault'>,
  tcp: TcpListening | undefined,
): Listener {
  const manager = {
    statPrefix: name,
    rds: { configSource: ads, routeConfigName: routeName },
    httpFilters: [...(fault === undefined ? [] : [idleFault()]), router()],
  }
  return {
    name,
    apiListener: { apiListener: pack(managerName, manager) },
    ...(tcp !== undefined && tcpListening(name, clustersOf(tcp), tcp.opaque)),
  }
}

/** As a sidecar would treat the requests: no limits that nobody asked for, and replies left as they are. */
export function buildGatewayListener(
  name: string,
  { host, port }: { readonly host: string; readonly port: number },
  routeName: string,
  { fault }: Pick<TrafficSettings, 'fault'>,
): Listener {
  const manager = {
    statPrefix: routeName,
    rds: { configSource: ads, routeConfigName: routeName },
    httpFilters: [...(fault === undefined ? [] : [idleFault()]), router()],
    streamIdleTimeout: { seconds: 0 },
    serverHeaderTransformation: 'PASS_THROUGH' as const,
    generateRequestId: { value: false },
    normalizePath: { value: true },
    upgradeConfigs: [{ upgradeType: 'websocket' }],
  }
  return {
    name,
    trafficDirection: 'OUTBOUND',
    address: socketAddress(host, port),
    filterChains: [{ name, filters: [{ name: managerFilter, typedConfig: pack(managerName, manager) }] }],
  }
}

function meshServerSocket(): TransportSocket {
  const context = {
    requireClientCertificate: { value: true },
    commonTlsContext: {
      tlsParams: { tlsMinimumProtocolVersion: 'TLSv1_3', tlsMaximumProtocolVersion: 'TLSv1_3' },
      alpnProtocols: ['weft-h1', 'weft-tcp'],
      tlsCertificateSdsSecretConfigs: [{ name: defaultSecret, sdsConfig: ads }],
      validationContextSdsSecretConfig: { name: rootCaSecret, sdsConfig: ads },
    },
  } as const
  return {
    name: 'envoy.transport_sockets.tls',
    typedConfig: pack('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', context),
  }
}

/** What is asked for of one port of a workload. */
export type InboundAsks = {
  readonly limits: readonly RateLimitSettings[]
  readonly access: PortAccess
}

function httpFilterOf(
  cluster: string,
  { limits, access }: InboundAsks,
  trustDomain: string,
): NonNullable<FilterChain['filters']> {
  const routeConfig = {
    name: cluster,
    virtualHosts: [
      {
        name: cluster,
        domains: ['*'],
        routes: [
          {
            name: cluster,
            match: { prefix: '/' },
            route: { cluster, timeout: { seconds: 0 }, rateLimits: limits.flatMap(limitActions) },
          },
        ],
      },
    ],
  }
  const httpFilters = [...httpAccessFilters(access, trustDomain), ...limits.map(limitFilter), router()]
  const manager = { statPrefix: cluster, routeConfig, httpFilters }
  return [{ name: managerFilter, typedConfig: pack(managerName, manager) }]
}

/** One chain for mesh TLS and its twin for everything in clear: whether that may pass, the rules of access say. */
function chainsFor(
  port: WorkloadPort,
  asks: InboundAsks,
  opaquePorts: readonly PortRange[],
  trustDomain: string,
): FilterChain[] {
  const cluster = inboundClusterName(port.application)
  const filters = includesPort(opaquePorts, port.application)
    ? [
        ...networkAccessFilters(asks.access, trustDomain),
        ...(tcpChain({ statPrefix: cluster, cluster }).filters ?? []),
      ]
    : httpFilterOf(cluster, asks, trustDomain)
  const destinationPort = { value: port.listen }
  return [
    {
      name: `${cluster}-mesh`,
      filterChainMatch: {
        destinationPort,
        transportProtocol: 'tls',
        applicationProtocols: ['weft-h1', 'weft-tcp'],
      },
      filters,
      transportSocket: meshServerSocket(),
    },
    { name: `${cluster}-plain`, filterChainMatch: { destinationPort }, filters },
  ]
}

/** Who may reach the ports that have no chain of their own. */
function chainOfOthers(access: PortAccess, trustDomain: string): Pick<Listener, 'defaultFilterChain'> {
  const filters = networkAccessFilters(access, trustDomain)
  return filters.length === 0 ? {} : { defaultFilterChain: { name: 'others', filters } }
}

function socketAddress(address: string, portValue: number): Address {
  return { socketAddress: { address, portValue } }
}

/** What there is to say about a workload's own sidecar. */
export type InboundFacts = {
  readonly workload: Workload
  /** Its explicit addresses, or the ports behind the redirected one that something is known of. */
  readonly ports: readonly WorkloadPort[]
  readonly asksOf: (port: WorkloadPort) => InboundAsks
  /** Who may reach the ports that nobody has named. */
  readonly accessToOthers: PortAccess
  readonly opaquePorts: readonly PortRange[]
  readonly zone: string
  readonly trustDomain: string
}

/** What a workload's own sidecar serves. */
export function buildInboundListener(name: string, inbound: InboundFacts): Listener {
  const { workload, ports: served, asksOf, accessToOthers, opaquePorts, zone, trustDomain } = inbound
  const facts = toStruct({
    // Also for ports that have no chain: what is redirected is served, declared or not.
    opaquePorts: formatPortRanges(opaquePorts),
    // Where it is itself: a sidecar is told nothing of its own endpoint, and its pod does not know.
    ...(zone === '' ? {} : { zone }),
  })
  const base: Listener = {
    name,
    trafficDirection: 'INBOUND',
    metadata: { filterMetadata: { [weftMetadata]: facts } },
    filterChains: served.flatMap((port) => chainsFor(port, asksOf(port), opaquePorts, trustDomain)),
  }
  const [first, ...others] = workload.inbound
  if (first === undefined) {
    return {
      ...base,
      address: socketAddress('0.0.0.0', ports.inbound),
      useOriginalDst: { value: true },
      ...chainOfOthers(accessToOthers, trustDomain),
    }
  }
  return {
    ...base,
    address: socketAddress(first.host, first.port),
    additionalAddresses: others.map(({ host, port }) => ({ address: socketAddress(host, port) })),
  }
}
