import { expect, test } from 'vitest'
import { serviceGraph } from './service-graph.ts'
import { edge, mesh, service, sidecar } from './test-mesh.ts'

function shape(graph: ReturnType<typeof serviceGraph>): readonly string[] {
  return graph.edges.map(({ from, to, kind }) => `${from} ${kind} ${to}`)
}

test('a workload that no service stands for is a node of its own', () => {
  const graph = serviceGraph(mesh([edge(['client', 'web'])]), [service('web')])
  expect(shape(graph)).toEqual(['workloads/shop/client call services/shop/web'])
})

test('calls of a workload leave from the service of its name', () => {
  const graph = serviceGraph(mesh([edge(['client', 'web']), edge(['web', 'store'])]), [])
  expect(shape(graph)).toContain('services/shop/web call services/shop/store')
})

test('a workload of another name belongs to the service with the fewest pods that it is behind', () => {
  const services = [
    service('catalog', ['stock-1', 'other-1']),
    service('catalog-v1', ['stock-1']),
    service('store'),
  ]
  const graph = serviceGraph(mesh([edge(['stock', 'store'])], [sidecar('stock')]), services)
  expect(shape(graph)).toEqual(['services/shop/catalog-v1 call services/shop/store'])
})

test('a split is drawn from the service asked for to each backend, with its share', () => {
  const graph = serviceGraph(
    mesh([
      edge(['web', 'catalog', 'catalog-v1'], { requestsPerSecond: 75 }),
      edge(['web', 'catalog', 'catalog-v2'], { requestsPerSecond: 25, successRatio: 0.8 }),
    ]),
    [],
  )
  expect(shape(graph)).toEqual([
    'services/shop/catalog split services/shop/catalog-v1',
    'services/shop/catalog split services/shop/catalog-v2',
    'workloads/shop/web call services/shop/catalog',
  ])
  expect(graph.edges.map(({ share }) => share)).toEqual([0.75, 0.25, 0])
  expect(graph.edges[2]?.figures).toMatchObject({ requestsPerSecond: 100, successRatio: 0.95 })
})

test('a node has what it gets and what it sends', () => {
  const { nodes } = serviceGraph(
    mesh([
      edge(['client', 'web'], { requestsPerSecond: 30 }),
      edge(['other', 'web'], { requestsPerSecond: 12 }),
      edge(['web', 'store'], { requestsPerSecond: 7 }),
    ]),
    [],
  )
  const web = nodes.find(({ name }) => name === 'web')
  expect(web?.incoming.requestsPerSecond).toBe(42)
  expect(web?.outgoing.requestsPerSecond).toBe(7)
})
