/** `weft edges` and `weft top`: who sends what to whom. */
import type { LiveEdge, LiveMesh } from '../api/live.ts'
import { figureColumns, shortService, shortWorkload } from './live-columns.ts'
import { listing, type OutputForm, type Screen } from './output.ts'
import { type Column, table } from './table.ts'

/** Those from or to a namespace, the busiest first. */
export function edgesOf(mesh: LiveMesh, namespace: string | undefined): readonly LiveEdge[] {
  return mesh.edges
    .filter(
      ({ source, apex, backend }) =>
        namespace === undefined || [source.namespace, apex.namespace, backend.namespace].includes(namespace),
    )
    .toSorted((a, b) => b.requestsPerSecond - a.requestsPerSecond)
}

const columns: readonly Column<LiveEdge>[] = [
  { header: 'NAMESPACE', spare: 4, text: ({ source }) => source.namespace },
  { header: 'SOURCE', text: ({ source }) => shortWorkload(source) },
  { header: 'SERVICE', spare: 1, text: ({ apex }) => shortService(apex) },
  { header: 'BACKEND', text: ({ backend }) => shortService(backend) },
  ...figureColumns<LiveEdge>((edge) => edge, true),
  // Connections: all that is to be seen of what is not HTTP.
  { header: 'OPEN', right: true, spare: 7, text: (edge) => String(edge.openConnections) },
]

/** The text of `weft edges`. */
export function edgesText(edges: readonly LiveEdge[], form: OutputForm, screen: Screen): string {
  if (edges.length === 0 && (form === 'table' || form === 'wide')) return 'Nothing moves in the mesh.\n'
  return listing(columns, edges, form, screen)
}

/** One picture of `weft top`: as many edges as there is room for; `trouble` is why they are not those of now. */
export function topPicture(
  mesh: LiveMesh,
  namespace: string | undefined,
  screen: Screen & { readonly rows: number },
  trouble?: string,
): string {
  const edges = edgesOf(mesh, namespace)
  const total = edges.reduce((sum, edge) => sum + edge.requestsPerSecond, 0)
  const head =
    trouble ??
    `${mesh.sidecars.length} sidecars, ${edges.length} edges, ${total.toFixed(1)} requests/s over the last ${mesh.windowMs / 1000} s   Ctrl-C ends it`
  const room = Math.max(1, screen.rows - 4)
  const shown = table(columns, edges.slice(0, room), { ...screen, wide: false })
  const lines = `${head.slice(0, screen.columns)}\n\n${shown}`.trimEnd().split('\n')
  return `\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\n')}\x1b[J`
}
