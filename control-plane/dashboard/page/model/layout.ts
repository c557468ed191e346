/**
 * Places a graph's nodes in layers, callers before what they call. Pure. Layers, order and places as in Sugiyama's method; of
 * our own, as dagre takes 2 s for 200 nodes and 1,000 edges and makes a sheet of 18,000 pixels of it.
 */
import { type LayoutEdge, layersOf, withoutCircles } from './layers.ts'

export type Point = { readonly x: number; readonly y: number }
/** Where calls lead: a wide frame shows layers as columns, a narrow one as rows. */
export type Flow = 'right' | 'down'
export type Layout = {
  readonly flow: Flow
  readonly width: number
  readonly height: number
  /** The upper left corner of each node. */
  readonly nodes: ReadonlyMap<string, Point>
  /** The middles of the places that each edge passes through between its two nodes, in its own direction. */
  readonly bends: ReadonlyMap<string, readonly Point[]>
}

export const nodeWidth = 184
export const nodeHeight = 56
const margin = 32
/** Between layers there has to be room for figures, two lines of them. */
const layerGap: Readonly<Record<Flow, number>> = { right: 168, down: 96 }
/** Figures of neighbouring edges need it. */
const siblingGap = 44
/** Of a graph with too many edges for figures on each. */
const foldedGap = 26
const bendBreadth = 18
const sweeps = 12
/** Above it, edges pass behind nodes: room for each would tear the graph apart. */
const maxEdgesWithBends = 120
/** A layer with more nodes is folded into several lines. */
const maxLineLength: Readonly<Record<Flow, number>> = { right: 20, down: 8 }
const lineGap = 44

/** A node, or the place where an edge passes through a layer. `at` is its middle, across the flow. */
type Vertex = { readonly breadth: number; readonly layer: number; at: number; line: number }
type Link = { readonly a: Vertex; readonly b: Vertex }
type Sizes = {
  readonly flow: Flow
  readonly length: number
  readonly breadth: number
  readonly folds: boolean
}

/** Puts the vertices of one layer beside each other, each as near to where it wants to be as the others let it. */
function settle(layer: Vertex[], wanted: ReadonlyMap<Vertex, number>): void {
  const middle = (vertex: Vertex): number => wanted.get(vertex) ?? vertex.at
  layer.sort((a, b) => middle(a) - middle(b))
  let free = -Infinity
  let pushed = 0
  for (const vertex of layer) {
    const start = Math.max(middle(vertex) - vertex.breadth / 2, free)
    pushed += start + vertex.breadth / 2 - middle(vertex)
    vertex.at = start + vertex.breadth / 2
    free = start + vertex.breadth + siblingGap
  }
  // Pushing goes one way only: what all were pushed is given back.
  for (const vertex of layer) vertex.at -= pushed / layer.length
}

/** Sweeps to and fro, each vertex towards the mean of its neighbours in the layer before. */
function order(layers: readonly Vertex[][], links: readonly Link[], breadth: number): void {
  const before = Map.groupBy(links, (link) => link.b)
  const after = Map.groupBy(links, (link) => link.a)
  for (const layer of layers) layer.forEach((vertex, i) => (vertex.at = i * (breadth + siblingGap)))
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const forward = sweep % 2 === 0
    for (const layer of forward ? layers : layers.toReversed()) {
      const wanted = new Map<Vertex, number>()
      for (const vertex of layer) {
        const near = forward ? before.get(vertex)?.map(({ a }) => a) : after.get(vertex)?.map(({ b }) => b)
        if (near !== undefined) wanted.set(vertex, near.reduce((sum, { at }) => sum + at, 0) / near.length)
      }
      settle(layer, wanted)
    }
  }
}

/** Makes lines of equal length of a layer, close together, the neighbours in turns on each. */
function fold(layer: readonly Vertex[], { flow, breadth }: Sizes): void {
  const lines = Math.ceil(layer.length / maxLineLength[flow])
  const pitch = breadth + foldedGap
  const length = Math.ceil(layer.length / lines)
  layer.forEach((vertex, i) => {
    vertex.line = i % lines
    vertex.at = (Math.floor(i / lines) + vertex.line / lines - length / 2) * pitch
  })
}

type Placed = {
  readonly vertices: ReadonlyMap<string, Vertex>
  readonly passing: ReadonlyMap<string, readonly Vertex[]>
  readonly layers: readonly (readonly Vertex[])[]
}

type Layered = { readonly forward: readonly LayoutEdge[]; readonly layerOf: ReadonlyMap<string, number> }

/** Whether there is so much that edges and layers have to share the room. */
function isCrowded({ forward, layerOf }: Layered, flow: Flow): boolean {
  const sizes = Map.groupBy(layerOf.values(), (layer) => layer).values()
  return forward.length > maxEdgesWithBends || sizes.some((layer) => layer.length > maxLineLength[flow])
}

function place(ids: readonly string[], { forward, layerOf }: Layered, sizes: Sizes): Placed {
  const vertex = (breadth: number, layer: number): Vertex => ({ breadth, layer, at: 0, line: 0 })
  const vertices = new Map(ids.map((id) => [id, vertex(sizes.breadth, layerOf.get(id) ?? 0)]))
  const passing = new Map<string, Vertex[]>()
  const links: Link[] = []
  for (const { id, from, to } of forward) {
    const [a, b] = [vertices.get(from) as Vertex, vertices.get(to) as Vertex]
    const between = sizes.folds ? 0 : b.layer - a.layer - 1
    const through = Array.from({ length: between }, (_, i) => vertex(bendBreadth, a.layer + 1 + i))
    passing.set(id, through)
    const path = [a, ...through, b]
    for (let i = 1; i < path.length; i++) links.push({ a: path[i - 1] as Vertex, b: path[i] as Vertex })
  }
  const layers: Vertex[][] = []
  for (const one of [...vertices.values(), ...[...passing.values()].flat()])
    (layers[one.layer] ??= []).push(one)
  order(layers, links, sizes.breadth)
  if (sizes.folds) for (const layer of layers) fold(layer, sizes)
  return { vertices, passing, layers }
}

/** Where each line of each layer begins, along the flow; the last one is where all end. */
function lineStarts({ layers }: Placed, { flow, length }: Sizes) {
  const starts: number[] = []
  let next = margin
  for (const layer of layers) {
    starts.push(next)
    const lines = Math.max(...layer.map(({ line }) => line)) + 1
    next += lines * (length + lineGap) - lineGap + layerGap[flow]
  }
  const startOf = ({ layer, line }: Vertex): number => (starts[layer] ?? 0) + line * (length + lineGap)
  return { startOf, end: next - layerGap[flow] + margin }
}

/** Where everything is; the same graph always gives the same. */
export function layOut(ids: readonly string[], edges: readonly LayoutEdge[], flow: Flow): Layout {
  if (ids.length === 0) return { flow, width: 0, height: 0, nodes: new Map(), bends: new Map() }
  const [length, breadth] = flow === 'right' ? [nodeWidth, nodeHeight] : [nodeHeight, nodeWidth]
  const forward = withoutCircles(ids, edges)
  const layered = { forward, layerOf: layersOf(ids, forward) }
  const sizes = { flow, length, breadth, folds: isCrowded(layered, flow) }
  const placed = place(ids, layered, sizes)
  const { startOf, end } = lineStarts(placed, sizes)
  const all = placed.layers.flat()
  const first = Math.min(...all.map((vertex) => vertex.at - vertex.breadth / 2)) - margin
  const last = Math.max(...all.map((vertex) => vertex.at + vertex.breadth / 2)) + margin
  const point = (along: number, across: number): Point =>
    flow === 'right' ? { x: along, y: across - first } : { x: across - first, y: along }
  const bends = edges.map(({ id, from }) => {
    const through = placed.passing.get(id) ?? []
    const points = through.map((vertex) => point(startOf(vertex) + length / 2, vertex.at))
    const turned = (through[0]?.layer ?? Infinity) < (placed.vertices.get(from)?.layer ?? 0)
    return [id, turned ? points.toReversed() : points] as const
  })
  const size = { along: end, across: last - first }
  return {
    flow,
    width: flow === 'right' ? size.along : size.across,
    height: flow === 'right' ? size.across : size.along,
    nodes: new Map(
      [...placed.vertices].map(([id, vertex]) => [id, point(startOf(vertex), vertex.at - breadth / 2)]),
    ),
    bends: new Map(bends),
  }
}
