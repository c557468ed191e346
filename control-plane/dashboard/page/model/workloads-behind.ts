/** The workloads behind a service, and what each received: from clients without a sidecar too, which no edge shows. Pure. */
import type { LiveMesh, LiveWorkload } from '../../../../api/live.ts'
import type { ServiceReport } from '../../../model/service-report.ts'
import { type Figures, noFigures } from './figures.ts'

export type WorkloadBehind = {
  readonly workload: LiveWorkload
  readonly port: number | null
  readonly pods: number
  readonly figures: Figures
}

function keyOf({ kind, namespace, name }: LiveWorkload): string {
  return `${kind} ${namespace}/${name}`
}

/** One for each port that received something; without any, one without figures. Pods without a sidecar are not among them. */
export function workloadsBehind(service: ServiceReport, mesh: LiveMesh): readonly WorkloadBehind[] {
  const pods = new Set(service.pods)
  const sidecars = mesh.sidecars.filter(
    ({ workload, pod }) => workload.namespace === service.namespace && pods.has(pod),
  )
  return [...Map.groupBy(sidecars, ({ workload }) => keyOf(workload))].flatMap(
    ([key, group]): readonly WorkloadBehind[] => {
      const workload = (group[0] as (typeof group)[number]).workload
      const received = mesh.inbound.filter((inbound) => keyOf(inbound.workload) === key)
      const facts = { workload, pods: group.length }
      if (received.length === 0) return [{ ...facts, port: null, figures: noFigures }]
      return received.map((inbound) => ({
        ...facts,
        port: inbound.port,
        figures: { ...inbound, openConnections: 0 },
      }))
    },
  )
}
