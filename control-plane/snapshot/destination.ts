/** Which service's port a resource name means. */
import { parseGatewayListenerName, parseServiceName } from '../../api/xds/naming.ts'
import { portOf } from '../model/external-name.ts'
import { keyOf, type MeshModel } from '../model/mesh-model.ts'
import type { Service, ServicePort } from '../model/objects.ts'

export type Destination = { readonly service: Service; readonly key: string; readonly port: ServicePort }

function withPort(service: Service | undefined, number: number): Destination | undefined {
  const port = portOf(service, number)
  if (service === undefined || port === undefined) return undefined
  return { service, key: keyOf(service.namespace, service.name), port }
}

/** `address:port`, IPv6 in brackets. */
export function splitAddress(name: string): { readonly address: string; readonly port: number } | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):([0-9]{1,5})$/.exec(name)
  return match === null ? undefined : { address: match[1] ?? (match[2] as string), port: Number(match[3]) }
}

/** The destination that `name` stands for, or undefined when the mesh has none of that name. */
export function destinationOf(model: MeshModel, name: string): Destination | undefined {
  const named = parseServiceName(name)
  if (named !== undefined) return withPort(model.service(keyOf(named.namespace, named.service)), named.port)
  const addressed = splitAddress(name)
  return addressed === undefined
    ? undefined
    : withPort(model.serviceByAddress(addressed.address), addressed.port)
}

/** What a resource name depends on in the model: `service:`, `address:` or `workload:` and a key, or `trust`. */
export function dependencyOf(name: string): string {
  const gateway = parseGatewayListenerName(name)
  if (gateway !== undefined) return dependencyOf(gateway.destination)
  const named = parseServiceName(name)
  if (named !== undefined) return `service:${keyOf(named.namespace, named.service)}`
  const addressed = splitAddress(name)
  if (addressed !== undefined) return `address:${addressed.address}`
  const inbound = /^inbound\/([^/]+\/[^/]+)$/.exec(name)
  return inbound === null ? 'trust' : `workload:${inbound[1] as string}`
}
