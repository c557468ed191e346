import { expect, test } from 'vitest'
import { trendOf } from './trend.ts'

const readings = (value: (second: number) => number) =>
  Array.from({ length: 601 }, (_, seconds) => ({ seconds, value: value(seconds) }))

/** As a heap is: it grows for twenty seconds and falls back. */
const sawtooth = (second: number): number => (second % 20) / 4

test('what goes up and down rises by nothing', () => {
  expect(trendOf(readings((second) => 90 + sawtooth(second))).rise).toBeCloseTo(0, 0)
})

test('a leak of a hundredth of a megabyte a second is seen below that', () => {
  expect(trendOf(readings((second) => 90 + sawtooth(second) + second / 100)).rise).toBeCloseTo(6, 0)
})

test('one peak is no rise, and is told', () => {
  const { rise, largest, spread } = trendOf(readings((second) => (second === 500 ? 200 : 90)))
  expect(rise).toBeLessThan(1)
  expect(largest).toBe(200)
  expect(spread).toEqual({ lower: 90, median: 90, upper: 90 })
})

test('a single reading says nothing', () => {
  expect(trendOf([{ seconds: 0, value: 90 }]).rise).toBeNaN()
})
