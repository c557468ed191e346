import { expect, test } from 'vitest'
import { type Flushable, flushAtTurnsEnd } from './write-turn.ts'

const order: string[] = []
const flushable = (name: string): Flushable => ({ flush: () => void order.push(name) })
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** As when bytes arrive for several connections in one turn: each in a call of its own. */
async function write(...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await Promise.resolve().then(() => {
      flushAtTurnsEnd(flushable(name))
      order.push(`${name} written`)
    })
    // What was called has returned, and the microtasks behind it have run.
    await Promise.resolve()
    await Promise.resolve()
  }
  await turn()
}

test('where turns have several wires to write to, all of them wait for the turn’s end', async () => {
  // Whatever tests before this one in the same process have left.
  for (let i = 0; i < 20; i++) await write('a', 'b')
  order.length = 0
  await write('a', 'b', 'c')
  expect(order).toEqual(['a written', 'b written', 'c written', 'a', 'b', 'c'])
})

test('where turns have one, it waits only until what called has returned', async () => {
  await write('a')
  await write('a')
  order.length = 0
  await write('a', 'b')
  expect(order).toEqual(['a written', 'a', 'b written', 'b'])
})

test('after sixteen such writes it is looked at again whether there are others', async () => {
  for (const alone of [0, 1]) {
    for (let i = 0; i < 20 + alone; i++) await write('a')
    for (let i = 0; i < 10; i++) await write('a', 'b')
    order.length = 0
    await write('a', 'b')
    expect(order).toEqual(['a written', 'b written', 'a', 'b'])
  }
})

test('sixty-four wires do not wait for more', () => {
  order.length = 0
  for (let i = 0; i < 64; i++) flushAtTurnsEnd(flushable(String(i)))
  expect(order).toHaveLength(64)
})
