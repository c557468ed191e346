import { expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { RetryBudget } from './budget.ts'

/** How many retries are allowed now, one after the other. */
function spend(budget: RetryBudget): number {
  let count = 0
  while (budget.withdraw()) count++
  return count
}

test('one retry in five requests, and ten a second besides', () => {
  const clock = new ManualClock()
  const budget = new RetryBudget(clock.monotonicMs)
  expect(spend(budget), 'at the beginning').toBe(10)
  for (let i = 0; i < 50; i++) budget.deposit()
  expect(spend(budget)).toBe(10)
  clock.advance(500)
  expect(spend(budget)).toBe(5)
})

test('however the failures come, retries stay below ratio and floor', () => {
  const clock = new ManualClock()
  const budget = new RetryBudget(clock.monotonicMs, { ratio: 0.1, minPerSecond: 2, ttlMs: 10_000 })
  let retries = 0
  for (let i = 0; i < 10_000; i++) {
    budget.deposit()
    clock.advance(1)
    if (budget.withdraw()) retries++
  }
  expect(retries).toBeGreaterThan(1000)
  expect(retries).toBeLessThanOrEqual(0.1 * 10_000 + 2 * 10 + 2)
})

test('what is not used is kept for the time of the settings only', () => {
  const clock = new ManualClock()
  const budget = new RetryBudget(clock.monotonicMs, { ratio: 0.2, minPerSecond: 10, ttlMs: 2_000 })
  clock.advance(3_600_000)
  for (let i = 0; i < 10_000; i++) budget.deposit()
  expect(spend(budget)).toBe(20)
})

test('without a floor only requests earn retries', () => {
  const clock = new ManualClock()
  const budget = new RetryBudget(clock.monotonicMs, { ratio: 0.5, minPerSecond: 0, ttlMs: 10_000 })
  clock.advance(100_000)
  expect(spend(budget)).toBe(0)
  for (let i = 0; i < 6; i++) budget.deposit()
  expect(spend(budget)).toBe(3)
})

test('new settings give nothing back', () => {
  const clock = new ManualClock()
  const budget = new RetryBudget(clock.monotonicMs)
  spend(budget)
  for (let i = 0; i < 100; i++) budget.configure({ ratio: 0.2, minPerSecond: 10 + i, ttlMs: 10_000 })
  expect(spend(budget)).toBe(0)
})
