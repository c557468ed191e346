import { expect, test } from 'vitest'
import { Schedule } from './schedule.ts'

test('requests are due at even intervals, counted from the start and not from what happened to those before', () => {
  const schedule = new Schedule(500, 1000, 3)
  expect(schedule.take(499.9)).toBeUndefined()
  expect(schedule.take(500)).toBe(500)
  expect(schedule.take(500.5)).toBeUndefined()
  // Nobody asked for a while: both are due, at the times that they were due.
  expect(schedule.take(510)).toBe(501)
  expect(schedule.take(510)).toBe(502)
  expect(schedule.take(510)).toBeUndefined()
  expect(schedule.finished).toBe(true)
  expect(schedule.nextDueMs).toBeNaN()
})
