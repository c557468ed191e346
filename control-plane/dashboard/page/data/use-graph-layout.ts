/** A graph's layout and lines, made anew only when nodes or edges come or go, or the window turns from wide to narrow. */
import { useEffect, useMemo, useState } from 'preact/hooks'
import { edgePath } from '../model/edge-path.ts'
import { type Flow, type Layout, layOut } from '../model/layout.ts'
import type { ServiceGraph } from '../model/service-graph.ts'
import type { DrawnEdge } from '../parts/graph-edges.tsx'

const narrow = window.matchMedia('(max-width: 760px)')

function useFlow(): Flow {
  const [isNarrow, setNarrow] = useState(narrow.matches)
  useEffect(() => {
    const onChange = (): void => setNarrow(narrow.matches)
    narrow.addEventListener('change', onChange)
    return () => narrow.removeEventListener('change', onChange)
  }, [])
  return isNarrow ? 'down' : 'right'
}

export function useGraphLayout(graph: ServiceGraph): {
  readonly layout: Layout
  readonly edges: readonly DrawnEdge[]
} {
  const flow = useFlow()
  const ids = graph.nodes.map(({ id }) => id)
  const shape = `${flow} ${ids.join()} ${graph.edges.map(({ id }) => id).join()}`
  const layout = useMemo(() => layOut(ids, graph.edges, flow), [shape])
  const paths = useMemo(() => {
    const drawn = graph.edges.flatMap(({ id, from, to }) => {
      const [a, b] = [layout.nodes.get(from), layout.nodes.get(to)]
      if (a === undefined || b === undefined || from === to) return []
      return [[id, edgePath(a, b, layout.bends.get(id) ?? [], flow)] as const]
    })
    return new Map(drawn)
  }, [layout])
  const edges = graph.edges.flatMap((edge) => {
    const path = paths.get(edge.id)
    return path === undefined ? [] : [{ edge, path }]
  })
  return { layout, edges }
}
