/** What a workload's sidecar is told about its own inbound side, out of everything that is said about it. */
import { portAccess, portsNamed, type WorkloadPort } from '../model/access.ts'
import { keyOf, type MeshModel, type ServedPort } from '../model/mesh-model.ts'
import type { Workload } from '../model/objects.ts'
import type { InboundFacts } from './listeners.ts'
import { inboundLimits } from './rate-limit.ts'

/** Those that it declares, that a Service leads to, or that a policy names: about others nothing is said. */
function portsOf(
  model: MeshModel,
  workload: Workload,
  served: readonly ServedPort[],
): readonly WorkloadPort[] {
  if (workload.inbound.length > 0)
    return workload.inbound.map(({ port, applicationPort }) => ({
      listen: port,
      application: applicationPort,
    }))
  const numbers = [
    ...workload.containerPorts,
    ...served.map(({ targetPort }) => targetPort),
    ...portsNamed(model, workload),
  ]
  return [...new Set(numbers)].map((port) => ({ listen: port, application: port }))
}

export function inboundFacts(model: MeshModel, workload: Workload, trustDomain: string): InboundFacts {
  const served = model.servedBy(keyOf(workload.namespace, workload.name))
  return {
    workload,
    ports: portsOf(model, workload, served),
    asksOf: (port) => ({
      limits: inboundLimits(model, served, port.listen),
      access: portAccess(model, workload, port),
    }),
    accessToOthers: portAccess(model, workload, undefined),
    opaquePorts: model.opaquePorts(workload),
    zone: model.nodes.zoneOf(workload),
    trustDomain,
  }
}
