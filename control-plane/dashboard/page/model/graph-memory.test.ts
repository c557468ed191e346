import { expect, test } from 'vitest'
import { GraphMemory } from './graph-memory.ts'
import { edge, mesh } from './test-mesh.ts'

test('an edge that falls silent stays for five minutes, without figures', () => {
  const memory = new GraphMemory()
  memory.remember(mesh([edge(['web', 'store'])], [], 0))
  expect(memory.remember(mesh([], [], 299_000)).edges).toMatchObject([
    { source: { name: 'web' }, requestsPerSecond: 0, successRatio: null, p99Ms: null },
  ])
  expect(memory.remember(mesh([], [], 301_000)).edges).toEqual([])
})

test('an edge that goes on is there once', () => {
  const memory = new GraphMemory()
  memory.remember(mesh([edge(['web', 'store'])], [], 0))
  expect(memory.remember(mesh([edge(['web', 'store'])], [], 1_000)).edges).toHaveLength(1)
})
