/** What a workload's sidecar is told about its own inbound side, out of everything that is said about it. */
import { portAccess } from '../model/access.ts'
import { keyOf, type MeshModel } from '../model/mesh-model.ts'
import type { Workload } from '../model/objects.ts'
import { workloadPorts } from '../model/workload-ports.ts'
import type { InboundFacts } from './listeners.ts'
import { inboundLimits } from './rate-limit.ts'

export function inboundFacts(model: MeshModel, workload: Workload, trustDomain: string): InboundFacts {
  const served = model.servedBy(keyOf(workload.namespace, workload.name))
  return {
    workload,
    ports: workloadPorts(model, workload),
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
