/** Why nobody is behind a port of a Service. Pure. */
import type { MeshModel } from './mesh-model.ts'

export type MissingEndpoints = {
  /** `port-missing`: there are endpoints, and none of them has this port. */
  readonly reason: 'no-pods' | 'port-missing' | 'none-ready'
  /** Endpoints with this port, ready or not. */
  readonly listed: number
}

/** Undefined where an endpoint of the port is sent to. */
export function missingEndpoints(
  model: MeshModel,
  serviceKey: string,
  portName: string,
): MissingEndpoints | undefined {
  if (model.endpoints(serviceKey, portName).length > 0) return undefined
  const slices = model.slices(serviceKey)
  const count = (list: typeof slices): number =>
    list.reduce((sum, { endpoints }) => sum + endpoints.length, 0)
  const listed = count(slices.filter(({ ports }) => ports.some(({ name }) => name === portName)))
  if (listed > 0) return { reason: 'none-ready', listed }
  return { reason: count(slices) > 0 ? 'port-missing' : 'no-pods', listed }
}
