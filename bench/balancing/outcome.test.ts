import { expect, test } from 'vitest'
import { outcomeOf } from './outcome.ts'

const counters = { arrived: 6, retries: 2, overBudget: 1, ejections: 1 }

test('good is a 2xx within a second, and a share of what was due in that second', () => {
  const result = { latencyMs: [10, 1_001, 10, 10], status: [200, 200, 503, 204] }
  const outcome = outcomeOf({ ...counters, result, ratePerSecond: 2, ejectedAtSecond: undefined })
  expect(outcome).toMatchObject({
    requests: 4,
    goodPercent: 50,
    goodBySecond: [50, 50],
    afterEjectionPercent: undefined,
    amplification: 1.5,
  })
})

test('after an ejection counts what was due after it, however late it came', () => {
  const result = { latencyMs: [1, 1, 1, 5_000], status: [500, 500, 200, 200] }
  const outcome = outcomeOf({ ...counters, result, ratePerSecond: 2, ejectedAtSecond: 1 })
  expect(outcome.afterEjectionPercent).toBe(100)
  expect(outcome.percentilesMs).toEqual({ p50: 1, p95: 5_000, p99: 5_000, p999: 5_000 })
})
