import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLog } from '../../core/log.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import { LastKnownGood, type StoredResource } from './last-known-good.ts'

const kept: StoredResource = { kind: 'cluster', name: 'a', version: '1', bytes: Buffer.from('bytes') }
let folder: string
let lines: { readonly level: string; readonly code?: string; readonly reason?: string }[]

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'weft-kept-'))
  lines = []
})
afterEach(() => rmSync(folder, { recursive: true }))

function open(snapshot = () => [kept]): LastKnownGood {
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const log = createLog({ process: 'test', level: 'info', destination })
  return new LastKnownGood({ folder, clock: new ManualClock(), log, snapshot })
}

test('what was in force comes back', async () => {
  await open().flush()
  expect(open().load()).toEqual([kept])
  expect(lines).toEqual([])
})

test('what may not wait is on disk at once, and no older state comes after it', async () => {
  let version = '1'
  const writer = open(() => [{ ...kept, version }])
  const older = writer.flush()
  await Promise.resolve()
  version = '2'
  writer.writeNow()
  expect(open().load()).toEqual([{ ...kept, version: '2' }])
  await older
  expect(open().load()).toEqual([{ ...kept, version: '2' }])
  version = '3'
  await writer.flush()
  expect(open().load()).toEqual([{ ...kept, version: '3' }])
  expect(lines).toEqual([])
})

test('nothing is said on a first start', () => {
  expect(open().load()).toEqual([])
  expect(lines).toEqual([])
})

test('a file that is there and cannot be read is no first start: the log says why', () => {
  // As root may read every file, a folder stands in its place.
  mkdirSync(path.join(folder, 'last-known-good.json'))
  expect(open().load()).toEqual([])
  expect(lines).toMatchObject([
    { level: 'warn', code: 'FILE_UNREADABLE', reason: expect.stringContaining('EISDIR') },
  ])
})

test('a damaged file is not used, and the log says so', () => {
  writeFileSync(path.join(folder, 'last-known-good.json'), 'weft-xds-1 0\n[]')
  expect(open().load()).toEqual([])
  expect(lines).toMatchObject([{ level: 'warn', code: 'STATE_FILE_INVALID' }])
})
