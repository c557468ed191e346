/** Services that are a name for something else: a host outside, or another Service. Pure. */
import type { Finding } from './finding.ts'
import type { MeshModel } from './mesh-model.ts'
import { keyOf, serviceKeyOfHost } from './naming.ts'
import type { Service, ServicePort } from './objects.ts'

/** `broken`: it leads back to itself. */
export type ExternalTarget =
  | { readonly kind: 'host'; readonly host: string }
  | { readonly kind: 'service'; readonly service: Service; readonly key: string }
  | { readonly kind: 'broken'; readonly path: readonly string[] }

/** A port of a Service. One that is a mere name and lists no ports has them all, as DNS knows of none. */
export function portOf(service: Service | undefined, number: number): ServicePort | undefined {
  if (service?.externalName !== undefined && service.ports.length === 0)
    return { name: '', port: number, protocol: '' }
  return service?.ports.find((candidate) => candidate.port === number)
}

/** Where a Service's name leads in the end; undefined: it has endpoints of its own. */
export function externalTarget(model: MeshModel, service: Service): ExternalTarget | undefined {
  const path: string[] = []
  let key = keyOf(service.namespace, service.name)
  let current = service
  while (current.externalName !== undefined) {
    if (path.includes(key)) return { kind: 'broken', path: [...path, key] }
    path.push(key)
    const nextKey = serviceKeyOfHost(current.externalName)
    const next = nextKey === undefined ? undefined : model.service(nextKey)
    // A Service that the mesh does not know may still be one of the cluster's.
    if (nextKey === undefined || next === undefined) return { kind: 'host', host: current.externalName }
    key = nextKey
    current = next
  }
  return path.length === 0 ? undefined : { kind: 'service', service: current, key }
}

/** What somebody has to know about a Service that is a name for something else. */
export function externalNameFindings(model: MeshModel, serviceKey: string): readonly Finding[] {
  const service = model.service(serviceKey)
  const target = service === undefined ? undefined : externalTarget(model, service)
  if (service === undefined || target === undefined || target.kind === 'host') return []
  const object = `Service ${serviceKey}`
  if (target.kind === 'broken')
    return [
      {
        code: 'EXTERNAL_NAME_LOOP',
        object,
        message: `its name leads in a circle: ${target.path.join(' -> ')}; requests to it fail`,
      },
    ]
  return service.ports
    .filter(({ port }) => portOf(target.service, port) === undefined)
    .map(({ port }) => ({
      code: 'EXTERNAL_NAME_PORT',
      object,
      message: `its port ${port} is none of '${target.key}', which its name leads to; requests to it fail`,
    }))
}
