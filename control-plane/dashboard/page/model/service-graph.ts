/** The graph of who calls whom, from the live edges and what is known of the services. Pure. */
import type { LiveMesh, LiveService, LiveWorkload } from '../../../../api/live.ts'
import type { ServiceReport } from '../../../model/service-report.ts'
import { type Figures, sumFigures } from './figures.ts'

export type GraphNode = {
  readonly id: string
  /** A workload is a node of its own where no service stands for it. */
  readonly kind: 'service' | 'workload'
  readonly namespace: string
  readonly name: string
  readonly incoming: Figures
  readonly outgoing: Figures
}
export type GraphEdge = {
  readonly id: string
  readonly from: string
  readonly to: string
  /** A call, or the part of a service's requests that a split or route sends on. */
  readonly kind: 'call' | 'split'
  readonly figures: Figures
  /** Of a split: its part of the requests for the service, 0 to 1. */
  readonly share: number
}
export type ServiceGraph = { readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] }

type Named = { readonly namespace: string; readonly name: string }

export function serviceId({ namespace, name }: Named): string {
  return `services/${namespace}/${name}`
}

export function workloadId({ namespace, name }: Named): string {
  return `workloads/${namespace}/${name}`
}

function isSame(a: LiveService, b: LiveService): boolean {
  return a.namespace === b.namespace && a.name === b.name
}

/** Which node stands for a workload: the service that has its name, else the one with the fewest pods that it is behind. */
export class WorkloadHomes {
  readonly #homes = new Map<string, string>()

  constructor(services: readonly ServiceReport[], mesh: LiveMesh) {
    const workloadOfPod = new Map(
      mesh.sidecars.map(({ workload, pod }) => [`${workload.namespace}/${pod}`, workloadId(workload)]),
    )
    for (const service of services.toSorted((a, b) => a.pods.length - b.pods.length)) {
      for (const pod of service.pods) {
        const workload = workloadOfPod.get(`${service.namespace}/${pod}`)
        if (workload !== undefined && !this.#homes.has(workload))
          this.#homes.set(workload, serviceId(service))
      }
    }
    const known = [...services, ...mesh.edges.flatMap(({ apex, backend }) => [apex, backend])]
    for (const service of known) this.#homes.set(workloadId(service), serviceId(service))
  }

  of(workload: LiveWorkload): string {
    const own = workloadId(workload)
    return this.#homes.get(own) ?? own
  }
}

type Draft = { from: string; to: string; kind: GraphEdge['kind']; parts: Figures[] }

function draftEdges(mesh: LiveMesh, homes: WorkloadHomes): Map<string, Draft> {
  const drafts = new Map<string, Draft>()
  const add = (from: string, to: string, kind: Draft['kind'], part: Figures): void => {
    const id = `${from} ${to}`
    const draft = drafts.get(id)
    if (draft === undefined) drafts.set(id, { from, to, kind, parts: [part] })
    else draft.parts.push(part)
  }
  for (const edge of mesh.edges) {
    add(homes.of(edge.source), serviceId(edge.apex), 'call', edge)
    if (!isSame(edge.apex, edge.backend)) add(serviceId(edge.apex), serviceId(edge.backend), 'split', edge)
  }
  return drafts
}

function nodeOf(id: string): Pick<GraphNode, 'id' | 'kind' | 'namespace' | 'name'> {
  const [folder, namespace = '', name = ''] = id.split('/')
  return { id, kind: folder === 'services' ? 'service' : 'workload', namespace, name }
}

/** Every node that traffic came from or went to; edges by their names, so that the same mesh looks the same. */
export function serviceGraph(mesh: LiveMesh, services: readonly ServiceReport[]): ServiceGraph {
  const drafts = draftEdges(mesh, new WorkloadHomes(services, mesh))
  const summed = [...drafts].map(([id, draft]) => ({ id, ...draft, figures: sumFigures(draft.parts) }))
  const into = Map.groupBy(summed, (edge) => edge.to)
  const outOf = Map.groupBy(summed, (edge) => edge.from)
  const calls = (edges: typeof summed | undefined): Figures =>
    sumFigures((edges ?? []).filter(({ kind }) => kind === 'call').map(({ figures }) => figures))
  const ids = [...new Set(summed.flatMap(({ from, to }) => [from, to]))].toSorted()
  const nodes = ids.map((id) => ({
    ...nodeOf(id),
    incoming: sumFigures((into.get(id) ?? []).map(({ figures }) => figures)),
    outgoing: calls(outOf.get(id)),
  }))
  const asked = new Map(ids.map((id) => [id, calls(into.get(id)).requestsPerSecond]))
  const edges = summed.map(({ id, from, to, kind, figures }) => {
    const total = asked.get(from) ?? 0
    return { id, from, to, kind, figures, share: total === 0 ? 0 : figures.requestsPerSecond / total }
  })
  return { nodes, edges: edges.toSorted((a, b) => (a.id < b.id ? -1 : 1)) }
}
