import { expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { Pusher } from './pusher.ts'

function setUp() {
  const clock = new ManualClock()
  const pushes: string[] = []
  const pusher = new Pusher(clock, (dependencies) =>
    pushes.push(`${clock.monotonicMs()} ${[...dependencies].join()}`),
  )
  const changed = (name: string, routing = true): void => pusher.changed(new Set([name]), routing)
  return { clock, pushes, pusher, changed }
}

test('a lone change goes out at once', () => {
  const { clock, pushes, changed } = setUp()
  changed('a')
  clock.advance(100)
  changed('b')
  expect(pushes).toEqual(['0 a', '100 b'])
  clock.advance(5000)
  expect(pushes).toHaveLength(2)
})

test('what follows it is gathered until nothing came for 100 ms', () => {
  const { clock, pushes, changed } = setUp()
  changed('a')
  clock.advance(10)
  changed('b')
  clock.advance(99)
  changed('c')
  clock.advance(99)
  expect(pushes).toEqual(['0 a'])
  clock.advance(1)
  expect(pushes).toEqual(['0 a', '209 b,c'])
})

test('changes without end wait for 1 s at most', () => {
  const { clock, pushes, changed } = setUp()
  for (let i = 0; i < 50; i++) {
    changed('a')
    clock.advance(50)
  }
  // The first at once; from the second on, one push per second.
  expect(pushes).toEqual(['0 a', '1050 a', '2050 a'])
})

test('endpoints never wait, not even behind routes that do, and do not make those wait longer', () => {
  const { clock, pushes, changed } = setUp()
  changed('a')
  clock.advance(1)
  changed('b')
  clock.advance(98)
  changed('endpoints', false)
  clock.advance(2)
  expect(pushes).toEqual(['0 a', '99 endpoints', '101 b'])
})

test('a change that touches nothing is no push', () => {
  const { pushes, pusher } = setUp()
  pusher.changed(new Set(), true)
  pusher.changed(new Set(), false)
  expect(pushes).toEqual([])
})

test('nothing is sent any more once it is stopped', () => {
  const { clock, pushes, pusher, changed } = setUp()
  changed('a')
  changed('b')
  pusher.stop()
  clock.advance(5000)
  expect(pushes).toEqual(['0 a'])
  expect(clock.pending).toBe(0)
})
