/** The page of one service or workload: its figures, its splits, who calls it and whom it calls. */
import { useMemo } from 'preact/hooks'
import type { MeshData } from '../data/use-mesh.ts'
import { noFigures } from '../model/figures.ts'
import { formatMs, formatPercent, formatRate } from '../model/format.ts'
import { type GraphEdge, type ServiceGraph, serviceGraph } from '../model/service-graph.ts'
import { splitFigures } from '../model/split-figures.ts'
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

function Pods({ data, namespace, name }: Props) {
  const report = data.services.find((other) => other.namespace === namespace && other.name === name)
  if (report === undefined) return null
  const sidecars = new Set(data.mesh?.sidecars.map(({ workload, pod }) => `${workload.namespace}/${pod}`))
  return (
    <section class="card">
      <h2>Pods</h2>
      {report.pods.length === 0 ? (
        <p class="nothing">
          {report.externalName === undefined
            ? 'No pod is ready behind this service.'
            : `It is another name for ${report.externalName}.`}
        </p>
      ) : (
        <ul class="pods">
          {report.pods.map((pod) => (
            <li key={pod}>
              {pod}
              <span class="kind">
                {sidecars.has(`${namespace}/${pod}`) ? 'sidecar connected' : 'no sidecar here'}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
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
        {kind === 'service' && <Pods {...props} />}
      </div>
    </>
  )
}
