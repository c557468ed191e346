import { expect, test } from 'vitest'
import { LatencyWindow } from './latency-window.ts'

test('percentiles are within a tenth of what was seen', () => {
  for (const percentile of [50, 90, 95, 99]) {
    const window = new LatencyWindow()
    for (let ms = 1; ms <= 1000; ms++) window.observe(ms)
    const read = window.percentileMs(percentile) as number
    expect(read).toBeGreaterThanOrEqual(percentile * 10)
    expect(read).toBeLessThanOrEqual(percentile * 10 * 1.1)
  }
})

test('too few say nothing', () => {
  const window = new LatencyWindow()
  for (let i = 0; i < 19; i++) window.observe(5)
  expect(window.percentileMs(95)).toBeUndefined()
  window.observe(5)
  expect(window.percentileMs(95)).toBeCloseTo(5, 0)
})

test('what was long ago is forgotten', () => {
  const window = new LatencyWindow()
  for (let i = 0; i < 5_000; i++) window.observe(500)
  for (let i = 0; i < 20_000; i++) window.observe(5)
  expect(window.percentileMs(95)).toBeLessThan(6)
})

test('what is beyond all buckets is in the last one', () => {
  const window = new LatencyWindow()
  for (let i = 0; i < 20; i++) window.observe(Number.MAX_VALUE)
  expect(window.percentileMs(99)).toBeGreaterThan(100_000)
})
