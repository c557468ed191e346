/** The part of a graph that somebody asks for. Pure. */
import type { ServiceGraph } from './service-graph.ts'

/** The nodes of a namespace ('' is all) whose names have `wanted` in them, with their neighbours. */
export function filterGraph(graph: ServiceGraph, namespace: string, wanted: string): ServiceGraph {
  if (namespace === '' && wanted === '') return graph
  const named = new Set(
    graph.nodes
      .filter((node) => namespace === '' || node.namespace === namespace)
      .filter((node) => node.name.includes(wanted))
      .map(({ id }) => id),
  )
  const edges = graph.edges.filter(({ from, to }) => named.has(from) || named.has(to))
  const shown = new Set([...named, ...edges.flatMap(({ from, to }) => [from, to])])
  return { nodes: graph.nodes.filter(({ id }) => shown.has(id)), edges }
}

export function namespacesOf(graph: ServiceGraph): readonly string[] {
  return [...new Set(graph.nodes.map(({ namespace }) => namespace))].toSorted()
}
