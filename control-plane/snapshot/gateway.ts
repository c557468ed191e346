/** A gateway: an Envoy that listens on addresses of its own, each for one destination, and asks for everything at once. */
import { gatewayListenerName, serviceResourceName, weftMetadata } from '../../api/xds/naming.ts'
import { fromStruct, type Json } from '../../api/xds/struct.ts'
import type { ResourceKind } from '../../api/xds/type-urls.ts'
import type { Node } from '../../api/xds/types.ts'
import { parseAddress } from '../../core/address.ts'
import type { MeshModel } from '../model/mesh-model.ts'
import { routingOf } from '../model/routing.ts'
import type { Rule } from '../model/rule.ts'
import { type Destination, destinationOf } from './destination.ts'
import { backendName } from './route-filters.ts'

export type GatewayPort = { readonly address: string; readonly destination: string }

const maxPorts = 1_000

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What the node's metadata ask for: `"weft.dev": {"listeners": {"0.0.0.0:8080": "catalog.shop:80"}}`, and what is wrong with them. */
export function gatewayOf(node: Node): {
  readonly ports: readonly GatewayPort[]
  readonly problems: readonly string[]
} {
  const ours = fromStruct(node.metadata)[weftMetadata]
  const listeners = isObject(ours) ? ours['listeners'] : undefined
  if (listeners === undefined) return { ports: [], problems: [] }
  if (!isObject(listeners)) return { ports: [], problems: ['listeners: is no object'] }
  const ports: GatewayPort[] = []
  const problems: string[] = []
  for (const [address, destination] of Object.entries(listeners)) {
    if (ports.length === maxPorts) problems.push(`listeners: are more than ${maxPorts}`)
    else if (parseAddress(address) === undefined)
      problems.push(`listeners.${address}: is no address and port`)
    else if (typeof destination !== 'string' || destination.includes('/'))
      problems.push(`listeners.${address}: must lead to a service's name and port`)
    else ports.push({ address, destination })
    if (ports.length === maxPorts && problems.length > 0) break
  }
  return { ports, problems }
}

/** Everything that the rules of a destination can send to. */
function clustersOf({ backends, filters }: Rule): readonly string[] {
  const mirrors = [filters, ...backends.map((backend) => backend.filters)].flatMap(
    (one) => one?.mirrors ?? [],
  )
  return [...backends, ...mirrors].flatMap(({ backend }) =>
    backend === undefined ? [] : backendName(backend),
  )
}

function clusterNames(
  model: MeshModel,
  { service, port }: Destination,
  namespace: string,
): readonly string[] {
  const own = serviceResourceName(service.name, service.namespace, port.port)
  return [own, ...routingOf(model, service, port.port, namespace).rules.flatMap(clustersOf)]
}

/** The names that a gateway in a namespace gets when it asks for everything of a kind. */
export function gatewayNames(
  model: MeshModel,
  ports: readonly GatewayPort[],
  kind: ResourceKind,
  namespace: string,
): ReadonlySet<string> {
  if (kind === 'listener')
    return new Set(ports.map(({ address, destination }) => gatewayListenerName(address, destination)))
  if (kind !== 'cluster') return new Set()
  const destinations = ports.flatMap(({ destination }) => destinationOf(model, destination) ?? [])
  return new Set(destinations.flatMap((destination) => clusterNames(model, destination, namespace)))
}
