import { expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { systemClock } from '../../core/clock.ts'
import { WallTimes } from './wall-times.ts'

test('moments of the machine are told to a fraction of a millisecond', () => {
  const wall = new WallTimes(systemClock)
  // The wall clock is behind by what it cuts off: less than a millisecond.
  for (let i = 0; i < 100; i++) {
    const aheadMs = wall.at(systemClock.monotonicMs()) - systemClock.wallMs()
    expect(aheadMs).toBeGreaterThan(-0.2)
    expect(aheadMs).toBeLessThan(1.2)
  }
})

test.each([60_000, -60_000])('a wall clock that jumps by %i ms is followed', (jumpMs) => {
  const clock = new ManualClock()
  const wall = new WallTimes(clock)
  expect(wall.at(5)).toBe(clock.wallMs() + 5)
  clock.setWall(clock.wallMs() + jumpMs)
  wall.follow()
  expect(Math.abs(wall.at(0) - clock.wallMs())).toBeLessThan(1)
})
