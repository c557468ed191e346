/** Listener -> where a destination's routes are, or what this workload's own inbound side serves. Secret -> roots. */
import { unpackAs } from '../../api/xds/codec.ts'
import { httpInspector, parseInboundClusterName, weftMetadata } from '../../api/xds/naming.ts'
import { fromStruct } from '../../api/xds/struct.ts'
import type { FilterChain, HttpConnectionManager, Listener, Secret } from '../../api/xds/types.ts'
import { parsePortRanges } from '../../core/port-ranges.ts'
import type { InboundConfig, InboundPort } from '../cluster/cluster-config.ts'
import type { RateLimitPolicy } from '../rate-limit/rate-limit-policy.ts'
import type { TcpRoute } from '../route/tcp-route.ts'
import type { AccessRules } from '../authz/access-rules.ts'
import { decodeAccess, httpRbacName } from './decode-access.ts'
import { decodeRateLimits, limitName } from './decode-rate-limit.ts'
import { faultName } from './decode-route-policy.ts'
import { type DecodedRoutes, decodeRoutes } from './decode-routes.ts'
import { decodeTcpProxy } from './decode-tcp-proxy.ts'
import type { Problems } from './problems.ts'

export const managerName = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'
export const tcpProxyName = 'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy'

export type DecodedListener =
  | {
      readonly kind: 'destination'
      readonly routes: { readonly rds: string } | { readonly inline: DecodedRoutes }
      /** undefined: requests are all that it takes. */
      readonly tcp: TcpRoute | undefined
    }
  | { readonly kind: 'inbound'; readonly config: InboundConfig }

/** Routes say what they do: a filter that would do something for all of them is refused, and not left out in silence. */
function checkFilters({ httpFilters = [] }: HttpConnectionManager, problems: Problems): void {
  for (const [i, { typedConfig }] of httpFilters.entries()) {
    const { delay, abort } = unpackAs(faultName, typedConfig) ?? {}
    const others = [limitName, httpRbacName] as const
    if (
      delay !== undefined ||
      abort !== undefined ||
      others.some((name) => unpackAs(name, typedConfig) !== undefined)
    )
      problems.add(`api_listener.http_filters[${i}]`, 'is not supported: routes have their own')
  }
}

function routesOf(
  manager: HttpConnectionManager,
  problems: Problems,
): Extract<DecodedListener, { kind: 'destination' }>['routes'] {
  checkFilters(manager, problems)
  const rds = manager.rds?.routeConfigName
  if (rds !== undefined && rds !== '') return { rds }
  if (manager.routeConfig !== undefined) {
    return { inline: decodeRoutes(manager.routeConfig, problems, 'api_listener.route_config.') }
  }
  problems.add('api_listener', 'names no routes')
  return { rds: '' }
}

/** Where its connections go; opaque, when nothing finds out whether they are HTTP. */
function tcpRoute(listener: Listener, problems: Problems): TcpRoute | undefined {
  const chain = listener.defaultFilterChain
  if (chain === undefined) return undefined
  const proxy = unpackAs(tcpProxyName, chain.filters?.[0]?.typedConfig)
  const path = 'default_filter_chain.filters[0].typed_config'
  if (proxy === undefined) {
    problems.add(path, 'must be a TcpProxy')
    return undefined
  }
  const opaque = !(listener.listenerFilters ?? []).some(({ name }) => name === httpInspector)
  return { clusters: decodeTcpProxy(proxy, path, problems), opaque }
}

type ApplicationPort = {
  readonly port: number
  readonly opaque: boolean
  readonly rateLimits: readonly RateLimitPolicy[]
  readonly access: AccessRules | undefined
}

function applicationPort(chain: FilterChain, path: string, problems: Problems): ApplicationPort {
  for (const [i, filter] of (chain.filters ?? []).entries()) {
    const manager = unpackAs(managerName, filter.typedConfig)
    const cluster =
      manager?.routeConfig?.virtualHosts?.[0]?.routes?.[0]?.route?.cluster ??
      unpackAs(tcpProxyName, filter.typedConfig)?.cluster
    const port = cluster === undefined ? undefined : parseInboundClusterName(cluster)
    if (port === undefined) continue
    const here = `${path}.filters[${i}].typed_config`
    const rateLimits = manager === undefined ? [] : decodeRateLimits(manager, here, problems)
    const access =
      manager === undefined
        ? decodeAccess(chain.filters ?? [], `${path}.filters`, problems)
        : decodeAccess(manager.httpFilters ?? [], `${here}.http_filters`, problems)
    return { port, opaque: manager === undefined, rateLimits, access }
  }
  problems.add(`${path}.filters`, 'lead to no port of the application')
  return { port: 0, opaque: false, rateLimits: [], access: undefined }
}

function inboundPorts(listener: Listener, problems: Problems): readonly InboundPort[] {
  const explicit = listener.useOriginalDst?.value !== true
  const addresses = [listener.address, ...(listener.additionalAddresses ?? []).map((entry) => entry.address)]
  const hostOf = new Map(
    addresses.map((entry) => [entry?.socketAddress?.portValue ?? 0, entry?.socketAddress?.address ?? '']),
  )
  const ports = new Map<number, InboundPort>()
  ;(listener.filterChains ?? []).forEach((chain, i) => {
    const path = `filter_chains[${i}]`
    const { port, opaque, rateLimits, access } = applicationPort(chain, path, problems)
    const listenPort = chain.filterChainMatch?.destinationPort?.value ?? 0
    const host = hostOf.get(listenPort)
    if (explicit && host === undefined)
      problems.add(`${path}.filter_chain_match.destination_port`, 'is no address of the listener')
    ports.set(port, {
      listen: explicit ? { host: host ?? '', port: listenPort } : undefined,
      applicationHost: '127.0.0.1',
      applicationPort: port,
      protocol: opaque ? 'opaque' : 'detect',
      rateLimits,
      access,
    })
  })
  return [...ports.values()]
}

/** Of the ports that have no chain. */
function opaquePortsOf(listener: Listener, problems: Problems): InboundConfig['opaquePorts'] {
  const text = fromStruct(listener.metadata?.filterMetadata?.[weftMetadata])['opaquePorts']
  if (text === undefined) return undefined
  const ranges = typeof text === 'string' ? parsePortRanges(text) : undefined
  if (ranges === undefined)
    problems.add(`metadata.filter_metadata.${weftMetadata}.opaquePorts`, 'are no ports')
  return ranges
}

/** Of the sidecar itself. */
function zoneOf(listener: Listener, problems: Problems): string | undefined {
  const zone = fromStruct(listener.metadata?.filterMetadata?.[weftMetadata])['zone']
  if (zone === undefined || typeof zone === 'string') return zone
  problems.add(`metadata.filter_metadata.${weftMetadata}.zone`, 'is no text')
  return undefined
}

export function decodeListener(listener: Listener, problems: Problems): DecodedListener {
  const manager = unpackAs(managerName, listener.apiListener?.apiListener)
  if (manager !== undefined)
    return { kind: 'destination', routes: routesOf(manager, problems), tcp: tcpRoute(listener, problems) }
  if (listener.trafficDirection !== 'INBOUND')
    problems.add('traffic_direction', 'must be INBOUND without an api_listener')
  const opaquePorts = opaquePortsOf(listener, problems)
  const zone = zoneOf(listener, problems)
  return {
    kind: 'inbound',
    config: {
      access: decodeAccess(
        listener.defaultFilterChain?.filters ?? [],
        'default_filter_chain.filters',
        problems,
      ),
      ports: inboundPorts(listener, problems),
      ...(opaquePorts !== undefined && { opaquePorts }),
      ...(zone !== undefined && { zone }),
    },
  }
}

/** The PEM bundle of a validation context. */
export function decodeTrustBundle(secret: Secret, problems: Problems): string {
  const source = secret.validationContext?.trustedCa
  const pem =
    source?.inlineString ??
    (source?.inlineBytes === undefined ? '' : Buffer.from(source.inlineBytes).toString())
  if (!pem.includes('-----BEGIN CERTIFICATE-----'))
    problems.add('validation_context.trusted_ca', 'holds no PEM certificate')
  return pem
}
