/** Keeps edges that fell silent for a while, so that the graph does not jump with every pause of a client. */
import type { LiveEdge, LiveMesh } from '../../../../api/live.ts'
import { noFigures } from './figures.ts'

const keptMs = 300_000

function keyOf({ source, apex, backend }: LiveEdge): string {
  return [source, apex, backend].map(({ namespace, name }) => `${namespace}/${name}`).join(' ')
}

export class GraphMemory {
  readonly #seen = new Map<string, { atMs: number; edge: LiveEdge }>()

  /** The mesh with the edges of the last five minutes; those without traffic now have no figures. */
  remember(mesh: LiveMesh): LiveMesh {
    const now = new Set<string>()
    for (const edge of mesh.edges) {
      const key = keyOf(edge)
      now.add(key)
      this.#seen.set(key, { atMs: mesh.atMs, edge })
    }
    const silent: LiveEdge[] = []
    for (const [key, { atMs, edge }] of this.#seen) {
      if (now.has(key)) continue
      if (atMs < mesh.atMs - keptMs) this.#seen.delete(key)
      else silent.push({ ...edge, ...noFigures, mtlsRatio: edge.mtlsRatio })
    }
    return silent.length === 0 ? mesh : { ...mesh, edges: [...mesh.edges, ...silent] }
  }
}
