/** The service graph, with the mesh's figures above it. */
import { useMemo, useState } from 'preact/hooks'
import type { LiveMesh } from '../../../../api/live.ts'
import type { MeshData } from '../data/use-mesh.ts'
import { sumFigures } from '../model/figures.ts'
import { formatMs, formatRate } from '../model/format.ts'
import { filterGraph, namespacesOf } from '../model/graph-filter.ts'
import { serviceGraph } from '../model/service-graph.ts'
import { Empty } from '../parts/empty.tsx'
import { FigureStrip } from '../parts/figure-strip.tsx'
import { GraphCanvas } from '../parts/graph-canvas.tsx'
import { Mtls, Success } from '../parts/marks.tsx'
import { SearchBox } from '../parts/search-box.tsx'
import { NoTraffic } from './no-traffic.tsx'

function MeshFigures({ mesh, services }: { readonly mesh: LiveMesh; readonly services: number }) {
  const all = sumFigures(mesh.edges)
  return (
    <FigureStrip
      figures={[
        { label: 'Services with traffic', value: String(services) },
        { label: 'Sidecars', value: String(mesh.sidecars.length) },
        { label: 'Requests/s', value: formatRate(all.requestsPerSecond) },
        { label: 'Success', value: <Success figures={all} /> },
        { label: 'Highest p99', value: formatMs(all.p99Ms) },
        { label: 'mTLS', value: <Mtls ratio={all.mtlsRatio} /> },
      ]}
    />
  )
}

type FilterProps = {
  readonly namespaces: readonly string[]
  readonly namespace: string
  readonly onNamespace: (namespace: string) => void
  readonly wanted: string
  readonly onWanted: (wanted: string) => void
}

function Filters({ namespaces, namespace, onNamespace, wanted, onWanted }: FilterProps) {
  return (
    <>
      {namespaces.length > 1 && (
        <label class="choose">
          <span class="hidden">Namespace</span>
          <select value={namespace} onChange={(event) => onNamespace(event.currentTarget.value)}>
            <option value="">all namespaces</option>
            {namespaces.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      <SearchBox label="Filter by name" value={wanted} onInput={onWanted} />
    </>
  )
}

export function GraphView({ data }: { readonly data: MeshData }) {
  const { mesh, services } = data
  const [namespace, setNamespace] = useState('')
  const [wanted, setWanted] = useState('')
  const graph = useMemo(
    () => (mesh === undefined ? { nodes: [], edges: [] } : serviceGraph(mesh, services)),
    [mesh, services],
  )
  const shown = useMemo(() => filterGraph(graph, namespace, wanted), [graph, namespace, wanted])
  const isEmpty = mesh === undefined || graph.nodes.length === 0
  return (
    <>
      <div class="heading">
        <h1>Service graph</h1>
        <p>
          Who calls whom now; <a href="#/connections">as a table</a>
        </p>
        {!isEmpty && (
          <Filters
            namespaces={namespacesOf(graph)}
            namespace={namespace}
            onNamespace={setNamespace}
            wanted={wanted}
            onWanted={setWanted}
          />
        )}
      </div>
      {isEmpty ? (
        <NoTraffic data={data} />
      ) : (
        <>
          <MeshFigures mesh={mesh} services={graph.nodes.filter(({ kind }) => kind === 'service').length} />
          {shown.nodes.length === 0 ? (
            <Empty title={`No name has ‘${wanted}’ in it`} />
          ) : (
            <GraphCanvas graph={shown} />
          )}
        </>
      )}
    </>
  )
}
