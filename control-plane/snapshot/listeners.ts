/** Destinations and workloads -> Listener. */
import { ports } from '../../api/ports.ts'
import { pack } from '../../api/xds/codec.ts'
import { defaultSecret, faultFilter, inboundClusterName, rootCaSecret } from '../../api/xds/naming.ts'
import type { Address, FilterChain, HttpFilter, Listener, TransportSocket } from '../../api/xds/types.ts'
import type { Workload } from '../model/objects.ts'
import type { RateLimitSettings, TrafficSettings } from '../model/traffic-settings.ts'
import { ads } from './clusters.ts'
import { limitActions, limitFilter } from './rate-limit.ts'

const managerName = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'
const managerFilter = 'envoy.filters.network.http_connection_manager'

function router(): HttpFilter {
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

/** `routeName` is the destination's canonical name, the same for all names that clients use for it. */
export function buildDestinationListener(
  name: string,
  routeName: string,
  { fault }: Pick<TrafficSettings, 'fault'>,
): Listener {
  const manager = {
    statPrefix: name,
    rds: { configSource: ads, routeConfigName: routeName },
    httpFilters: [...(fault === undefined ? [] : [idleFault()]), router()],
  }
  return { name, apiListener: { apiListener: pack(managerName, manager) } }
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

/** Permissive: one chain for mesh TLS, its twin for everything in clear. */
function chainsFor(
  listenPort: number,
  applicationPort: number,
  limits: readonly RateLimitSettings[],
): FilterChain[] {
  const cluster = inboundClusterName(applicationPort)
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
  const httpFilters = [...limits.map(limitFilter), router()]
  const manager = { statPrefix: cluster, routeConfig, httpFilters }
  const filters = [{ name: managerFilter, typedConfig: pack(managerName, manager) }]
  const destinationPort = { value: listenPort }
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

function socketAddress(address: string, portValue: number): Address {
  return { socketAddress: { address, portValue } }
}

/** What a workload's own sidecar serves: its explicit addresses, or its container ports behind the redirected one. */
export function buildInboundListener(
  name: string,
  workload: Workload,
  limitsOf: (listenPort: number) => readonly RateLimitSettings[],
): Listener {
  const base: Listener = { name, trafficDirection: 'INBOUND' }
  const [first, ...others] = workload.inbound
  if (first === undefined) {
    const filterChains = workload.containerPorts.flatMap((port) => chainsFor(port, port, limitsOf(port)))
    return {
      ...base,
      address: socketAddress('0.0.0.0', ports.inbound),
      useOriginalDst: { value: true },
      filterChains,
    }
  }
  return {
    ...base,
    address: socketAddress(first.host, first.port),
    additionalAddresses: others.map(({ host, port }) => ({ address: socketAddress(host, port) })),
    filterChains: workload.inbound.flatMap(({ port, applicationPort }) =>
      chainsFor(port, applicationPort, limitsOf(port)),
    ),
  }
}
