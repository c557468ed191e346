import { expect, it } from 'vitest'
import { EventBudget } from './event-budget.ts'

function taken(budget: EventBudget, uid: string, times: number): number {
  return Array.from({ length: times }, () => budget.take(uid)).filter(Boolean).length
}

it('lets an object that flaps tell of itself ten times, then once a minute', () => {
  let nowMs = 0
  const budget = new EventBudget(() => nowMs)
  expect(taken(budget, 'a', 50)).toBe(10)
  nowMs = 59_999
  expect(taken(budget, 'a', 50)).toBe(0)
  nowMs = 60_000
  expect(taken(budget, 'a', 50)).toBe(1)
  nowMs = 3_600_000
  expect(taken(budget, 'a', 50)).toBe(10)
})

it('lets others tell meanwhile, 200 in one go and five each second', () => {
  let nowMs = 0
  const budget = new EventBudget(() => nowMs)
  expect(taken(budget, 'a', 50)).toBe(10)
  const others = () => Array.from({ length: 500 }, (_, i) => budget.take(`b-${nowMs}-${i}`)).filter(Boolean)
  expect(others()).toHaveLength(190)
  nowMs = 1_000
  expect(others()).toHaveLength(5)
})
