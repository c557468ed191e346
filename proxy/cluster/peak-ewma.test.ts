import { expect, test } from 'vitest'
import { PeakEwma } from './peak-ewma.ts'

test('jumps up at once, and comes down over the decay time', () => {
  const latency = new PeakEwma(0, 10_000)
  latency.observe(2_000, 0)
  expect(latency.valueMs(0)).toBe(2_000)
  expect(latency.valueMs(10_000)).toBeCloseTo(2_000 / Math.E, 5)
  latency.observe(10, 10_000)
  expect(latency.valueMs(10_000)).toBeCloseTo(2_000 / Math.E + 10 * (1 - 1 / Math.E), 5)
})

test('is nothing until the first request, then what is assumed, then what was seen', () => {
  const latency = new PeakEwma(0, 10_000)
  expect(latency.valueMs(0)).toBe(0)
  latency.assume(30, 5)
  expect(latency.valueMs(5)).toBe(30)
  latency.observe(2, 7)
  expect(latency.valueMs(7)).toBe(2)
  latency.assume(30, 7)
  expect(latency.valueMs(7)).toBe(2)
})

test('decays the same in many small steps as in one large one', () => {
  const latency = new PeakEwma(0, 10_000)
  latency.observe(1_000, 0)
  for (let nowMs = 1; nowMs <= 10_000; nowMs++) latency.observe(0, nowMs)
  expect(latency.valueMs(10_000)).toBeCloseTo(1_000 / Math.E, 2)
})
