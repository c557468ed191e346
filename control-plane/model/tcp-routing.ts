/** What becomes of a connection to a service's port whose bytes are not looked into. Pure. */
import { includesPort } from '../../core/port-ranges.ts'
import { keyOf, type MeshModel } from './mesh-model.ts'
import type { Service, ServicePort } from './objects.ts'
import { own, type WeightedBackend } from './rule.ts'
import { splitBackends, splitInForce } from './split.ts'

/** Values of `appProtocol` that say as much as the annotation. */
const opaqueProtocols = ['weft.dev/opaque', 'linkerd.io/opaque', 'linkerd.io/tcp', 'tcp']

/** Whether nobody is to look at the bytes of a service's port. */
export function isOpaque(model: MeshModel, service: Service, { port, protocol }: ServicePort): boolean {
  return opaqueProtocols.includes(protocol) || includesPort(model.opaquePorts(service), port)
}

/**
 * The backends of the split of the service, or its own endpoints. A split by matches is one of requests: a connection
 * matches none, and goes to the apex.
 */
export function tcpBackends(model: MeshModel, service: Service, port: number): readonly WeightedBackend[] {
  const key = keyOf(service.namespace, service.name)
  const split = splitInForce(model, key)
  const backends = split === undefined || split.matches.length > 0 ? [] : splitBackends(model, split, port)
  return backends.length > 0 ? backends : own(key, port).backends
}
