import { expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { systemClock } from '../../core/clock.ts'
import { WallTimes } from './wall-times.ts'

test('moments of the machine are told to a fraction of a millisecond', () => {
  const wall = new WallTimes(systemClock)
  const aheadMs = Array.from({ length: 201 }, () => wall.at(systemClock.monotonicMs()) - systemClock.wallMs())
  // The wall clock is behind by what it cuts off: less than a millisecond. The median, as readings may be torn apart.
  const median = aheadMs.toSorted((a, b) => a - b)[100] as number
  expect(median).toBeGreaterThan(-0.1)
  expect(median).toBeLessThan(1.1)
})

test.each([60_000, -60_000])('a wall clock that jumps by %i ms is followed', (jumpMs) => {
  const clock = new ManualClock()
  const wall = new WallTimes(clock)
  expect(wall.at(5)).toBe(clock.wallMs() + 5)
  clock.setWall(clock.wallMs() + jumpMs)
  wall.follow()
  expect(Math.abs(wall.at(0) - clock.wallMs())).toBeLessThan(1)
})
