/** The page of one service or workload: its figures, its splits, who calls it and whom it calls. */
import { useMemo } from 'preact/hooks'
import type { LiveMesh } from '../../../../api/live.ts'
import type { ServiceReport } from '../../../model/service-report.ts'
import type { MeshData } from '../data/use-mesh.ts'
import { noFigures } from '../model/figures.ts'
import { formatMs, formatPercent, formatRate } from '../model/format.ts'
import { type GraphEdge, type ServiceGraph, serviceGraph } from '../model/service-graph.ts'
import { splitFigures } from '../model/split-figures.ts'
import { type WorkloadBehind, workloadsBehind } from '../model/workloads-behind.ts'
import { Empty } from '../parts/empty.tsx'
import { figureColumns } from '../parts/figure-columns.tsx'
import { FigureStrip } from '../parts/figure-strip.tsx'
import { Mtls, Success } from '../parts/marks.tsx'
import { NodeLink } from '../parts/node-link.tsx'
import { type Column, SortTable } from '../parts/sort-table.tsx'
import { SplitCard } from '../parts/split-card.tsx'
import { NoTraffic } from './no-traffic.tsx'

type Named = { readonly kind: 'service' | 'workload'; readonly namespace: string; readonly name: string }
type Props = Named & { readonly data: MeshData }

function edgeColumns(title: string, end: 'from' | 'to'): readonly Column<GraphEdge>[] {
  return [
    {
      title,
      value: (edge) => edge[end],
      cell: (edge) => (
        <>
          <NodeLink id={edge[end]} />
          {edge.kind === 'split' && <span class="kind">split, {formatPercent(edge.share)}</span>}
        </>
      ),
    },
    ...figureColumns((edge: GraphEdge) => edge.figures),
  ]
}
const callers = edgeColumns('Called by', 'from')
const callees = edgeColumns('Calls', 'to')
const byRate = { column: 1, ascending: false }

function Edges(props: {
  readonly title: string
  readonly columns: readonly Column<GraphEdge>[]
  readonly edges: readonly GraphEdge[]
  readonly nobody: string
}) {
  return (
    <section class="card">
      <h2>{props.title}</h2>
      {props.edges.length === 0 ? (
        <p class="nothing">{props.nobody}</p>
      ) : (
        <SortTable
          caption={props.title}
          columns={props.columns}
          rows={props.edges}
          keyOf={({ id }) => id}
          first={byRate}
        />
      )}
    </section>
  )
}

function Figures({
  graph,
  id,
  kind,
}: {
  readonly graph: ServiceGraph
  readonly id: string
  readonly kind: string
}) {
  const node = graph.nodes.find((other) => other.id === id)
  const figures = (kind === 'service' ? node?.incoming : node?.outgoing) ?? noFigures
  return (
    <FigureStrip
      figures={[
        {
          label: kind === 'service' ? 'Requests/s' : 'Sends requests/s',
          value: formatRate(figures.requestsPerSecond),
        },
        { label: 'Success', value: <Success figures={figures} /> },
        { label: 'p50', value: formatMs(figures.p50Ms) },
        { label: 'p95', value: formatMs(figures.p95Ms) },
        { label: 'p99', value: formatMs(figures.p99Ms) },
        { label: 'Open connections', value: String(figures.openConnections) },
        { label: 'mTLS', value: <Mtls ratio={figures.mtlsRatio} /> },
      ]}
    />
  )
}

const workloadColumns: readonly Column<WorkloadBehind>[] = [
  {
    title: 'Workload',
    value: ({ workload }) => workload.name,
    cell: ({ workload, pods }) => (
      <>
        {workload.name}
        <span class="kind">
          {workload.kind}, {pods === 1 ? 'one pod' : `${pods} pods`}
        </span>
      </>
    ),
  },
  { title: 'Port', number: true, value: ({ port }) => port ?? 0, cell: ({ port }) => String(port ?? '–') },
  ...figureColumns(({ figures }: WorkloadBehind) => figures).filter(({ title }) => title !== 'Open'),
]

/** From clients without a sidecar too, which nothing else on the page shows. */
function Received({ report, mesh }: { readonly report: ServiceReport; readonly mesh: LiveMesh }) {
  const workloads = workloadsBehind(report, mesh)
  const bare = report.pods.length - workloadPods(report, mesh)
  return (
    <section class="card">
      <h2>
        Received by its workloads <span class="aside">from whoever sent it, with a sidecar or without</span>
      </h2>
      {bare > 0 && (
        <p class="notice">{bare === 1 ? 'One pod has' : `${bare} pods have`} no sidecar connected here.</p>
      )}
      {workloads.length === 0 ? (
        <p class="nothing">{nobodyBehind(report)}</p>
      ) : (
        <SortTable
          caption="Received by its workloads"
          columns={workloadColumns}
          rows={workloads}
          keyOf={({ workload, port }) => `${workload.kind} ${workload.name} ${port}`}
        />
      )}
    </section>
  )
}

function workloadPods(report: ServiceReport, mesh: LiveMesh): number {
  const pods = new Set(report.pods)
  return mesh.sidecars.filter(({ workload, pod }) => workload.namespace === report.namespace && pods.has(pod))
    .length
}

function nobodyBehind({ externalName, pods }: ServiceReport): string {
  if (externalName !== undefined) return `It is another name for ${externalName}.`
  return pods.length === 0 ? 'No pod is ready behind this service.' : 'None of its pods has a sidecar.'
}

function Splits({ data, namespace, name }: Props) {
  const { mesh, splits, services, history } = data
  if (mesh === undefined) return null
  return splitFigures({ namespace, name }, mesh, splits, services).map((split) => (
    <SplitCard
      key={`${split.object} ${split.port}`}
      split={split}
      page={splits.find((page) => `TrafficSplit ${page.namespace}/${page.name}` === split.object)}
      history={history}
      nowMs={mesh.atMs}
    />
  ))
}

function isKnown({ data, kind, namespace, name }: Props, graph: ServiceGraph, id: string): boolean {
  if (graph.nodes.some((node) => node.id === id)) return true
  return (
    kind === 'service' && data.services.some((other) => other.namespace === namespace && other.name === name)
  )
}

export function NodeView(props: Props) {
  const { data, kind, namespace, name } = props
  const { mesh, services } = data
  const id = `${kind}s/${namespace}/${name}`
  const graph = useMemo(
    () => (mesh === undefined ? { nodes: [], edges: [] } : serviceGraph(mesh, services)),
    [mesh, services],
  )
  const heading = (
    <div class="heading">
      <p class="path">
        <a href="#/">Graph</a> / {kind} in {namespace}
      </p>
      <h1>{name}</h1>
    </div>
  )
  if (mesh === undefined)
    return (
      <>
        {heading}
        <NoTraffic data={data} />
      </>
    )
  const report = services.find((other) => other.namespace === namespace && other.name === name)
  if (!isKnown(props, graph, id))
    return (
      <>
        {heading}
        <Empty title={`The mesh knows no ${kind} of this name`}>
          It may have been deleted, or have sent nothing in the last minutes.{' '}
          <a href="#/services">All services</a>
        </Empty>
      </>
    )
  return (
    <>
      {heading}
      <Figures graph={graph} id={id} kind={kind} />
      {kind === 'service' && <Splits {...props} />}
      <div class="stack">
        {kind === 'service' && (
          <Edges
            title="Called by"
            columns={callers}
            edges={graph.edges.filter(({ to }) => to === id)}
            nobody="Nobody has sent anything in the last minutes."
          />
        )}
        <Edges
          title="Calls"
          columns={callees}
          edges={graph.edges.filter(({ from }) => from === id)}
          nobody="It has sent nothing in the last minutes."
        />
        {kind === 'service' && report !== undefined && <Received report={report} mesh={mesh} />}
      </div>
    </>
  )
}
