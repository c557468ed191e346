import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { beforeEach, expect, it } from 'vitest'
import { GoldenStatsTable } from './golden-stats.ts'

let nowMs = 0
let table: GoldenStatsTable
beforeEach(() => {
  nowMs = 0
  table = new GoldenStatsTable(() => nowMs)
})
const minutes = 60_000

it('shows a label set until ten minutes after it last counted, and again from where it was', () => {
  const stats = table.for({ client_id: 'web' })
  stats.requests = 5
  expect(table.all()).toEqual([stats])
  nowMs = 10 * minutes
  expect(table.all()).toEqual([stats])
  nowMs++
  expect(table.all()).toEqual([])
  stats.requests++
  expect(table.all().map(({ requests }) => requests)).toEqual([6])
  expect(table.for({ client_id: 'web' })).toBe(stats)
})

it('makes room for new label sets once idle ones are held by nobody', async () => {
  for (let i = 0; i < 2_000; i++) table.for({ client_id: `c${i}` }).requests++
  expect(table.for({ client_id: 'late' }).labels).toHaveProperty('overflow')
  table.all()
  nowMs = 11 * minutes
  table.all()
  setFlagsFromString('--expose-gc')
  // What a WeakRef has given out lives until the turn of the event loop ends.
  await new Promise(setImmediate)
  ;(runInNewContext('gc') as () => void)()
  expect(table.for({ client_id: 'late' }).labels).toEqual({ client_id: 'late' })
  expect(table.size).toBeLessThan(2_000)
})
