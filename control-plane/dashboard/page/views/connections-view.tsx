/** What the graph shows, as a table. */
import { useMemo, useState } from 'preact/hooks'
import type { MeshData } from '../data/use-mesh.ts'
import { formatPercent } from '../model/format.ts'
import { type GraphEdge, serviceGraph } from '../model/service-graph.ts'
import { Empty } from '../parts/empty.tsx'
import { figureColumns } from '../parts/figure-columns.tsx'
import { NodeLink } from '../parts/node-link.tsx'
import { SearchBox } from '../parts/search-box.tsx'
import { type Column, SortTable } from '../parts/sort-table.tsx'
import { NoTraffic } from './no-traffic.tsx'

const columns: readonly Column<GraphEdge>[] = [
  { title: 'From', value: (edge) => edge.from, cell: (edge) => <NodeLink id={edge.from} /> },
  { title: 'To', value: (edge) => edge.to, cell: (edge) => <NodeLink id={edge.to} /> },
  {
    title: 'By',
    value: (edge) => (edge.kind === 'split' ? edge.share : -1),
    cell: (edge) => (edge.kind === 'split' ? `split, ${formatPercent(edge.share)}` : 'call'),
  },
  ...figureColumns((edge: GraphEdge) => edge.figures),
]
const byRate = { column: 3, ascending: false }

export function ConnectionsView({ data }: { readonly data: MeshData }) {
  const [wanted, setWanted] = useState('')
  const { mesh, services } = data
  const edges = useMemo(
    () => (mesh === undefined ? [] : serviceGraph(mesh, services).edges),
    [mesh, services],
  )
  const shown = edges.filter(({ from, to }) => from.includes(wanted) || to.includes(wanted))
  return (
    <>
      <div class="heading">
        <h1>Connections</h1>
        <p>Who sends to whom, and what each split sends on</p>
        <SearchBox label="Filter by name" value={wanted} onInput={setWanted} />
      </div>
      {edges.length === 0 ? (
        <NoTraffic data={data} />
      ) : shown.length === 0 ? (
        <Empty title={`No name has ‘${wanted}’ in it`} />
      ) : (
        <SortTable
          caption="Connections"
          columns={columns}
          rows={shown}
          keyOf={({ id }) => id}
          first={byRate}
        />
      )}
    </>
  )
}
