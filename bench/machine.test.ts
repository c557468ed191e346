import { expect, test } from 'vitest'
import { parseCpuTicks, readMachine, stealMeter } from './machine.ts'

const stat = (steal: number, idle: number): string =>
  `cpu  100 5 50 ${idle} 10 1 2 ${steal} 40 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n`

test('guest time is part of user time, and not counted again', () => {
  expect(parseCpuTicks(stat(32, 800))).toEqual({ total: 1000, steal: 32 })
})

test('steal is the share since it was last asked for', () => {
  const texts = [stat(32, 800), stat(34, 898), stat(34, 898), stat(34, 998)]
  const meter = stealMeter(() => texts.shift() ?? '')
  expect(meter()).toBeCloseTo(0.02)
  expect(meter()).toBe(0)
  expect(meter()).toBe(0)
})

test('this machine can be read', () => {
  expect(stealMeter()()).toBeGreaterThanOrEqual(0)
  expect(readMachine().cores).toBeGreaterThan(0)
})
