/** Every service, with or without traffic. */
import { useMemo, useState } from 'preact/hooks'
import type { MeshData } from '../data/use-mesh.ts'
import { type Figures, noFigures } from '../model/figures.ts'
import { serviceGraph, serviceId } from '../model/service-graph.ts'
import { Empty } from '../parts/empty.tsx'
import { figureColumns } from '../parts/figure-columns.tsx'
import { NodeLink } from '../parts/node-link.tsx'
import { SearchBox } from '../parts/search-box.tsx'
import { type Column, SortTable } from '../parts/sort-table.tsx'

type Row = {
  readonly id: string
  readonly ports: string
  readonly pods: number | null
  readonly figures: Figures
}

const columns: readonly Column<Row>[] = [
  { title: 'Service', value: ({ id }) => id, cell: ({ id }) => <NodeLink id={id} /> },
  { title: 'Ports', value: ({ ports }) => ports, cell: ({ ports }) => ports },
  { title: 'Pods', number: true, value: ({ pods }) => pods ?? -1, cell: ({ pods }) => String(pods ?? '–') },
  ...figureColumns(({ figures }: Row) => figures),
]

/** Known ones, and those that only the traffic knows. */
function rowsOf({ mesh, services }: MeshData): readonly Row[] {
  const nodes = mesh === undefined ? [] : serviceGraph(mesh, services).nodes
  const figures = new Map(
    nodes.filter(({ kind }) => kind === 'service').map((node) => [node.id, node.incoming]),
  )
  const known = services.map((service): Row => {
    const id = serviceId(service)
    const ports = service.ports.map(({ port }) => port).join(', ')
    const pods = service.externalName === undefined ? service.pods.length : null
    return { id, ports: service.externalName ?? ports, pods, figures: figures.get(id) ?? noFigures }
  })
  const ids = new Set(known.map(({ id }) => id))
  const others = [...figures].filter(([id]) => !ids.has(id))
  return [...known, ...others.map(([id, seen]) => ({ id, ports: '–', pods: null, figures: seen }))]
}

export function ServicesView({ data }: { readonly data: MeshData }) {
  const [wanted, setWanted] = useState('')
  const rows = useMemo(() => rowsOf(data), [data.mesh, data.services])
  const shown = rows.filter(({ id }) => id.includes(wanted))
  return (
    <>
      <div class="heading">
        <h1>Services</h1>
        <p>{rows.length === 1 ? 'One service' : `${rows.length} services`} in the mesh</p>
        <SearchBox label="Filter by name" value={wanted} onInput={setWanted} />
      </div>
      {rows.length === 0 ? (
        <Empty title="The mesh has no services">They appear as soon as the control plane reads one.</Empty>
      ) : shown.length === 0 ? (
        <Empty title={`No service has ‘${wanted}’ in its name`} />
      ) : (
        <SortTable
          caption="Services"
          columns={columns}
          rows={shown}
          keyOf={({ id }) => id}
          first={{ column: 3, ascending: false }}
        />
      )}
    </>
  )
}
