import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import type { Answer } from './load.ts'
import { View } from './view.ts'

const answer = (status: number, ...apps: string[]): Answer => ({
  status,
  apps: apps.map((app) => ({ app, trace: '' })),
  latencyMs: 4,
})

const size = { columns: 80, rows: 24 }

function viewOf(terminal: boolean): { view: View; written: string[] } {
  const written: string[] = []
  return {
    view: new View({
      size: terminal ? () => size : undefined,
      footer: ['try it', 'logs: /logs'],
      write: (text) => written.push(text),
    }),
    written,
  }
}

test('the panel shows the split, the signals of each sidecar, and who was proven to call it', () => {
  const { view } = viewOf(true)
  view.configured = 25
  view.scene('weights 75/25')
  for (let i = 0; i < 3; i++) view.answer(answer(200, 'web', 'catalog-v1'))
  view.answer(answer(200, 'web', 'catalog-v2'))
  const peers = { clients: ['spiffe://t/ns/shop/sa/client'], requests: 4, inClear: 0 }
  view.rows = [
    { name: 'web', golden: { requests: 4, success: 99.5, p50Ms: 4.2, p99Ms: 9 }, peers },
    { name: 'inventory', golden: undefined, peers: undefined },
    {
      name: 'catalog-v1',
      golden: { requests: 0, success: undefined, p50Ms: undefined, p99Ms: undefined },
      peers: { clients: [], requests: 2, inClear: 2 },
    },
  ]
  const panel = stripVTControlCharacters(view.paint(size))
  expect(panel).toMatch(/configured \[#{10}\.{30}\]\s+25\.0 %/)
  expect(panel).toMatch(/observed {3}\[#{10}\.{30}\]\s+25\.0 %/)
  expect(panel).toMatch(/web\s+4\s+99\.50 %\s+4\.2 ms\s+9\.0 ms\s+client/)
  expect(panel).toMatch(/inventory\s+does not answer/)
  expect(panel).toContain('IN CLEAR: 2 requests')
  expect(panel).toContain('weights 75/25')
  expect(panel).toContain('/logs')
})

test('without a terminal there are plain lines: what happens, and what came of it', () => {
  const { view, written } = viewOf(false)
  view.configured = 50
  view.start()
  view.scene('weights 50/50')
  view.answer(answer(200, 'catalog-v2'))
  view.answer(answer(503))
  view.sceneEnds()
  view.stop()
  expect(written).toEqual([
    'weights 50/50\n',
    '  v2 100.0 % of 50 %, 50.00 % of 2 requests succeed, p50 4.0 ms, p99 4.0 ms\n',
  ])
})

test('a version that fails is seen in the split all the same', () => {
  const { view } = viewOf(true)
  for (let i = 0; i < 3; i++) view.answer(answer(200, 'web', 'catalog-v1'))
  view.answer(answer(500, 'web', 'catalog-v2'))
  expect(stripVTControlCharacters(view.paint(size))).toMatch(/observed .*\] +25\.0 %/)
})

test('a failure at the beginning of a scene is told at its end, and not in the next', () => {
  const { view, written } = viewOf(false)
  view.scene('one')
  view.answer(answer(503))
  for (let i = 0; i < 9_999; i++) view.answer(answer(200, 'catalog-v1'))
  view.sceneEnds()
  view.scene('two')
  view.answer(answer(200, 'catalog-v1'))
  view.sceneEnds()
  expect(written[1]).toContain('99.99 % of 10000 requests')
  expect(written[3]).toContain('100.00 % of 1 requests')
})

test.each([
  { columns: 80, rows: 24 },
  { columns: 120, rows: 40 },
  { columns: 40, rows: 10 },
])('the panel fits into $columns x $rows, and marks what happens now', ({ columns, rows }) => {
  const { view } = viewOf(true)
  const peers = {
    clients: ['catalog-v1', 'catalog-v2'].map((name) => `spiffe://t/ns/s/sa/${name}`),
    requests: 1,
    inClear: 0,
  }
  const golden = { requests: 12_345, success: 100, p50Ms: 1000.1, p99Ms: 1000.1 }
  view.rows = ['web', 'catalog-v1', 'catalog-v2-a', 'catalog-v2-b', 'inventory'].map((name) => ({
    name,
    golden,
    peers,
  }))
  for (let i = 0; i < 20; i++) view.scene(`scene ${i} ${'of a long story '.repeat(10)}`)
  view.answer(answer(200, 'web'))
  const lines = stripVTControlCharacters(view.paint({ columns, rows })).split('\n')
  expect(lines.length).toBeLessThanOrEqual(rows)
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns)
  if (rows < 24) return
  expect(lines.filter((line) => line.startsWith(' >'))).toEqual([expect.stringContaining('scene 19')])
  expect(lines.join('\n')).toContain('catalog-v1, catalog-v2')
})
