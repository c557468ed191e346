/** The ports of a workload that something is said about. Pure. */
import { portsNamed, type WorkloadPort } from './access.ts'
import { keyOf, type MeshModel } from './mesh-model.ts'
import type { Workload } from './objects.ts'

/** Those that it declares, that a Service leads to, or that a policy names: about others nothing is said. */
export function workloadPorts(model: MeshModel, workload: Workload): readonly WorkloadPort[] {
  if (workload.inbound.length > 0)
    return workload.inbound.map(({ port, applicationPort }) => ({
      listen: port,
      application: applicationPort,
    }))
  const numbers = [
    ...workload.containerPorts,
    ...model.servedBy(keyOf(workload.namespace, workload.name)).map(({ targetPort }) => targetPort),
    ...portsNamed(model, workload),
  ]
  return [...new Set(numbers)].map((port) => ({ listen: port, application: port }))
}
