import { expect, test } from 'vitest'
import { filterGraph } from './graph-filter.ts'
import { serviceGraph } from './service-graph.ts'
import { edge, mesh } from './test-mesh.ts'

const graph = serviceGraph(
  mesh([edge(['client', 'web']), edge(['web', 'store']), edge(['batch', 'archive'])]),
  [],
)

test('what matches is shown with its neighbours', () => {
  expect(filterGraph(graph, '', 'store').nodes.map(({ name }) => name)).toEqual(['store', 'web'])
})

test('nothing to filter by leaves the graph as it is, another namespace leaves nothing', () => {
  expect(filterGraph(graph, '', '')).toBe(graph)
  expect(filterGraph(graph, 'other', '').nodes).toEqual([])
})
