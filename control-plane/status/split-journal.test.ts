import { beforeEach, expect, test } from 'vitest'
import { createLog } from '../../core/log.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import { MeshModel } from '../model/mesh-model.ts'
import type { Change } from '../model/objects.ts'
import { removed, service, split } from '../model/test-objects.ts'
import { SplitJournal } from './split-journal.ts'

let model: MeshModel
let journal: SplitJournal
let clock: ManualClock
let lines: string[]

beforeEach(() => {
  model = new MeshModel()
  clock = new ManualClock(0)
  lines = []
  const destination = { write: (line: string) => void lines.push(line) }
  journal = new SplitJournal(model, createLog({ process: 'test', level: 'info', destination }), clock)
  change(service('catalog'), service('catalog-v1'), split('s', { 'catalog-v1': 1000 }))
})

function change(...changes: readonly Change[]): void {
  journal.update(model.apply(changes).services)
}

const events = () =>
  journal.pages('shop', 's')[0]?.events.map(({ reason, count, lastMs }) => [reason, count, lastMs])
const logged = () =>
  lines.splice(0).map((line) => {
    const { level, split: of, reason } = JSON.parse(line) as Record<string, string>
    return `${level} ${of} ${reason}`
  })

test('what happens to a split is logged when it happens, and kept', () => {
  expect(logged()).toEqual(['info shop/s Created'])
  clock.advance(1000)
  change(removed(service('catalog-v1')))
  expect(logged()).toEqual(['warn shop/s BackendUnknown', 'warn shop/s NoBackendLeft'])
  expect(journal.findings().map(({ code, object }) => `${object} ${code}`)).toEqual([
    'TrafficSplit shop/s BACKEND_UNKNOWN',
    'TrafficSplit shop/s NO_BACKEND_LEFT',
  ])
  clock.advance(1000)
  change(service('catalog-v1'))
  expect(logged()).toEqual(['info shop/s Resolved', 'info shop/s Resolved'])
  expect(journal.findings()).toEqual([])
  change(service('catalog-v1'))
  expect(logged(), 'nothing new').toEqual([])
})

test('the same event again is counted', () => {
  for (let i = 0; i < 3; i++) {
    change(removed(service('catalog')))
    clock.advance(1000)
    change(service('catalog'))
  }
  expect(events()).toEqual([
    ['Created', 1, 0],
    ['ApexUnknown', 3, 2000],
    ['Resolved', 3, 3000],
    ['Resolved', 3, 3000],
  ])
})

test('only the newest events are kept', () => {
  for (let weight = 1; weight <= 100; weight++) change(split('s', { 'catalog-v1': weight }))
  expect(events()).toHaveLength(20)
  expect(journal.pages('shop', 's')[0]?.events.at(-1)?.message).toContain('catalog-v1 0.1')
})

test('a split that is gone is forgotten, one that changes its apex is not', () => {
  logged()
  change(service('other'), split('s', { 'catalog-v1': 1000 }, 0, { apex: 'other' }))
  expect(journal.pages(undefined, undefined)).toMatchObject([{ apex: 'other' }])
  expect(logged()).toEqual([])
  change(removed(split('s', {})))
  expect(logged()).toEqual(['info shop/s Deleted'])
  change(split('s', { 'catalog-v1': 1000 }))
  expect(events()).toEqual([['Created', 1, 0]])
})

test('pages are chosen by namespace and name, and come in order', () => {
  change(split('b', {}), split('a', {}))
  expect(journal.pages(undefined, undefined).map(({ name }) => name)).toEqual(['a', 'b', 's'])
  expect(journal.pages(undefined, 'b').map(({ name }) => name)).toEqual(['b'])
  expect(journal.pages('elsewhere', undefined)).toEqual([])
})
