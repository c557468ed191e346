/** Sorts a graph's nodes into layers, callers before what they call. Pure. */

export type LayoutEdge = { readonly id: string; readonly from: string; readonly to: string }

/** Edges that would close a circle count the other way round. */
export function withoutCircles(ids: readonly string[], edges: readonly LayoutEdge[]): readonly LayoutEdge[] {
  const outOf = Map.groupBy(edges, (edge) => edge.from)
  const callees = new Set(edges.map((edge) => edge.to))
  const state = new Map<string, 'open' | 'done'>()
  const result: LayoutEdge[] = []
  const visit = (start: string): void => {
    const stack = [{ id: start, next: 0 }]
    state.set(start, 'open')
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const edge = outOf.get(top.id)?.[top.next++]
      if (edge === undefined) {
        state.set(top.id, 'done')
        stack.pop()
        continue
      }
      const seen = state.get(edge.to)
      result.push(seen === 'open' ? { id: edge.id, from: edge.to, to: edge.from } : edge)
      if (seen !== undefined) continue
      state.set(edge.to, 'open')
      stack.push({ id: edge.to, next: 0 })
    }
  }
  const roots = ids.filter((id) => !callees.has(id))
  for (const id of [...roots, ...ids]) if (!state.has(id)) visit(id)
  return result.filter(({ from, to }) => from !== to)
}

/** One layer further than the furthest of its callers, from 0. */
export function layersOf(ids: readonly string[], edges: readonly LayoutEdge[]): Map<string, number> {
  const waiting = new Map(ids.map((id) => [id, 0]))
  for (const { to } of edges) waiting.set(to, (waiting.get(to) ?? 0) + 1)
  const outOf = Map.groupBy(edges, (edge) => edge.from)
  const layers = new Map(ids.map((id) => [id, 0]))
  const ready = ids.filter((id) => waiting.get(id) === 0)
  for (const id of ready) {
    for (const { to } of outOf.get(id) ?? []) {
      layers.set(to, Math.max(layers.get(to) ?? 0, (layers.get(id) ?? 0) + 1))
      const left = (waiting.get(to) ?? 0) - 1
      waiting.set(to, left)
      if (left === 0) ready.push(to)
    }
  }
  return layers
}
