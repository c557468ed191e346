/** The graph itself: nodes to walk through by Tab and arrow keys, edges with their figures. */
import { useState } from 'preact/hooks'
import { useGraphLayout } from '../data/use-graph-layout.ts'
import { type PanZoom, usePanZoom } from '../data/use-pan-zoom.ts'
import { type Layout, nodeHeight, nodeWidth } from '../model/layout.ts'
import { type Direction, nearest } from '../model/nearest.ts'
import type { GraphNode, ServiceGraph } from '../model/service-graph.ts'
import { type DrawnEdge, EdgeLabel, EdgeLines } from './graph-edges.tsx'
import { GraphLegend } from './graph-legend.tsx'
import { GraphNodeCard } from './graph-node.tsx'

/** More figures than this cover the lines: then only the edges of the node under the pointer or focus have them. */
const maxLabels = 40
const directions: Readonly<Record<string, Direction>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
}
const instructions =
  'Service graph. Arrow keys move between services, Enter opens one, plus and minus zoom. Connections is the same as a table.'

/** The node under the pointer or focus, and what belongs to it. */
function useSpotlight(graph: ServiceGraph) {
  const [id, light] = useState<string | undefined>()
  const edges = id === undefined ? [] : graph.edges.filter(({ from, to }) => from === id || to === id)
  const near = new Set(edges.flatMap(({ from, to }) => [from, to]))
  return { isOn: edges.length > 0, lit: new Set(edges.map((edge) => edge.id)), near, light }
}
type Spotlight = ReturnType<typeof useSpotlight>

function idUnder(event: Event): string | undefined {
  return event.target instanceof Element
    ? event.target.closest<HTMLElement>('[data-id]')?.dataset['id']
    : undefined
}

/** Arrow keys go from node to node; what has the focus is in sight and in the light. */
function useWalk(
  nodes: readonly GraphNode[],
  layout: Layout,
  { world, show }: PanZoom,
  spotlight: Spotlight,
) {
  const [entry, setEntry] = useState<string | undefined>()
  const onKeyDown = (event: KeyboardEvent): void => {
    const direction = directions[event.key]
    const from = idUnder(event)
    if (direction === undefined || from === undefined) return
    event.preventDefault()
    const to = nearest(layout.nodes, from, direction)
    if (to === undefined) return
    world.current?.querySelector<HTMLElement>(`[data-id="${to}"]`)?.focus({ preventScroll: true })
  }
  const onFocusIn = (event: FocusEvent): void => {
    const id = idUnder(event)
    const at = id === undefined ? undefined : layout.nodes.get(id)
    if (at === undefined) return
    setEntry(id)
    spotlight.light(id)
    show(at.x + nodeWidth / 2, at.y + nodeHeight / 2)
  }
  const entryId = nodes.some(({ id }) => id === entry) ? entry : nodes[0]?.id
  return { entryId, onKeyDown, onFocusIn }
}

type WorldProps = {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly DrawnEdge[]
  readonly layout: Layout
  readonly spotlight: Spotlight
  readonly entryId: string | undefined
}

function World({ nodes, edges, layout, spotlight, entryId }: WorldProps) {
  const { isOn, lit, near } = spotlight
  const labelled = edges.length <= maxLabels ? edges : edges.filter(({ edge }) => lit.has(edge.id))
  const showsNamespace = new Set(nodes.map(({ namespace }) => namespace)).size > 1
  return (
    <>
      <EdgeLines edges={edges} lit={lit} width={layout.width} height={layout.height} />
      <div class="edge-labels" aria-hidden="true">
        {labelled.map((drawn) => (
          <EdgeLabel key={drawn.edge.id} {...drawn} lit={lit.has(drawn.edge.id)} />
        ))}
      </div>
      {nodes.map((node) => (
        <GraphNodeCard
          key={node.id}
          node={node}
          at={layout.nodes.get(node.id) ?? { x: 0, y: 0 }}
          showsNamespace={showsNamespace}
          dimmed={isOn && !near.has(node.id)}
          reachable={node.id === entryId}
        />
      ))}
    </>
  )
}

function ZoomButtons({ zoomBy, fit }: PanZoom) {
  return (
    <div class="zoom" role="group" aria-label="Zoom">
      <button type="button" aria-label="Zoom in" onClick={() => zoomBy(1.25)}>
        +
      </button>
      <button type="button" aria-label="Zoom out" onClick={() => zoomBy(0.8)}>
        −
      </button>
      <button type="button" onClick={fit}>
        Fit
      </button>
    </div>
  )
}

export function GraphCanvas({ graph }: { readonly graph: ServiceGraph }) {
  const { layout, edges } = useGraphLayout(graph)
  const spotlight = useSpotlight(graph)
  const panZoom = usePanZoom(layout)
  const { entryId, onKeyDown, onFocusIn } = useWalk(graph.nodes, layout, panZoom, spotlight)
  return (
    <div class="graph">
      <div
        class={`graph-frame${spotlight.isOn ? ' spotlight' : ''}`}
        ref={panZoom.frame}
        role="group"
        aria-label={instructions}
        onKeyDown={onKeyDown}
        onFocusIn={onFocusIn}
        onFocusOut={() => spotlight.light(undefined)}
        onMouseOver={(event) => spotlight.light(idUnder(event))}
        onMouseLeave={() => spotlight.light(undefined)}
      >
        <div
          class="world"
          ref={panZoom.world}
          style={{ width: `${layout.width}px`, height: `${layout.height}px` }}
        >
          <World nodes={graph.nodes} edges={edges} layout={layout} spotlight={spotlight} entryId={entryId} />
        </div>
      </div>
      <ZoomButtons {...panZoom} />
      <GraphLegend />
    </div>
  )
}
