import { Buffer } from 'node:buffer'
import { beforeEach, describe, expect, test } from 'vitest'
import { dealWithRead, flushAtTurnsEnd } from './write-turn.ts'

const bytes = Buffer.from('x')
let log: string[] = []

/** One read, whose reader writes to `name`. */
function read(name: string): void {
  const onBytes = (): void => {
    log.push(`read ${name}`)
    flushAtTurnsEnd({ flush: () => log.push(`sent ${name}`) })
  }
  dealWithRead({ onBytes }, bytes, 0, 1)
}

function turnsEnd(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

async function turns(count: number, readsEach: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    for (let k = 0; k < readsEach; k++) read('early')
    await turnsEnd()
  }
  log = []
}

async function leavesAtTurnsEnd(): Promise<void> {
  flushAtTurnsEnd({ flush: () => log.push('sent') })
  expect(log).toEqual([])
  await turnsEnd()
  expect(log).toEqual(['sent'])
}

async function twoAreGathered(): Promise<void> {
  read('a')
  read('b')
  expect(log).toEqual(['read a', 'read b'])
  await turnsEnd()
  expect(log).toEqual(['read a', 'read b', 'sent a', 'sent b'])
}

describe('turns of many reads', () => {
  beforeEach(() => turns(2, 20))

  test('what they write leaves when all of them are dealt with', twoAreGathered)

  test('no more than 64 connections wait for that', () => {
    for (let k = 0; k < 65; k++) read(String(k))
    expect(log.filter((line) => line.startsWith('sent'))).toHaveLength(64)
  })

  test('what is written right after it was asked for leaves too, however many write in one turn', async () => {
    const unsent = new Set<number>()
    for (let k = 0; k < 200; k++) {
      flushAtTurnsEnd({ flush: () => unsent.delete(k) })
      unsent.add(k)
    }
    await turnsEnd()
    expect([...unsent]).toEqual([])
  })

  test('what no read caused leaves at the end of the turn', leavesAtTurnsEnd)
})

describe('turns of one read each', () => {
  beforeEach(() => turns(33, 1))

  test('what it writes leaves as soon as it is dealt with', () => {
    read('a')
    expect(log).toEqual(['read a', 'sent a'])
  })

  test('it all leaves together, even where one read is dealt with inside another', () => {
    const onBytes = (): void => {
      read('inner')
      flushAtTurnsEnd({ flush: () => log.push('sent outer') })
    }
    dealWithRead({ onBytes }, bytes, 0, 1)
    expect(log).toEqual(['read inner', 'sent inner', 'sent outer'])
  })

  test('what no read caused leaves at the end of the turn', leavesAtTurnsEnd)

  test('a reader that fails holds up nothing', () => {
    const onBytes = (): void => {
      flushAtTurnsEnd({ flush: () => log.push('sent') })
      throw new Error('broken')
    }
    expect(() => dealWithRead({ onBytes }, bytes, 0, 1)).toThrow('broken')
    expect(log).toEqual(['sent'])
  })

  test('once many reads come in a turn, what they write is gathered again', async () => {
    await turns(1, 20)
    await twoAreGathered()
  })
})
