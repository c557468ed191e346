import { describe, expect, test } from 'vitest'
import { judge } from './claims.ts'
import type { Outcome } from './outcome.ts'

const outcome: Outcome = {
  requests: 30_000,
  goodPercent: 100,
  afterEjectionPercent: 100,
  percentilesMs: { p50: 1, p95: 1, p99: 1, p999: 1 },
  goodBySecond: [100],
  retries: 100,
  overBudget: 5,
  ejections: 1,
  amplification: 1.2,
}

const holding = (scenario: string, outcomes: Readonly<Record<string, Partial<Outcome>>>) =>
  judge(
    scenario,
    new Map(Object.entries(outcomes).map(([name, own]) => [name, { ...outcome, ...own }])),
    30,
  ).map(({ holds }) => holds)

describe('a stuck endpoint', () => {
  const run = (ewma: number, least: number, roundRobin: number) =>
    holding('stuck-endpoint', {
      'peak EWMA': { goodPercent: ewma },
      'least request': { goodPercent: least },
      'round robin': { goodPercent: roundRobin },
    })
  test('is kept from clients by peak EWMA, and by least request in part', () => {
    expect(run(99.95, 99, 95)).toEqual([true, true, true])
    expect(run(99.8, 99, 95)).toEqual([false, true, true])
    expect(run(99.95, 94, 95)).toEqual([true, true, false])
    expect(run(99.95, 99, 99)[1]).toBe(false)
  })
})

test('a failing endpoint costs less than one in a thousand, and retries stay in their budget', () => {
  const run = (after: number | undefined, retries: number, goodPercent: number) =>
    holding('failing-endpoint', {
      'round robin, outlier detection': { afterEjectionPercent: after },
      'round robin, retries': { retries },
      'peak EWMA, outlier detection, retries': { goodPercent },
    })
  expect(run(99.95, 6_400, 99.9)).toEqual([true, true, true])
  expect(run(99.89, 6_401, 99.8)).toEqual([false, false, false])
  // Nobody was ever ejected, or nothing retried: that is no success.
  expect(run(undefined, 0, 100).slice(0, 2)).toEqual([false, false])
})

test('with everything failing there is no storm, and some retries nevertheless', () => {
  const run = (own: Partial<Outcome>) => holding('all-failing', { any: own })
  expect(run({})).toEqual([true, true, true])
  expect(run({ amplification: 1.26 })[0]).toBe(false)
  expect(run({ retries: 0 })[1]).toBe(false)
  expect(run({ overBudget: 0 })[2]).toBe(false)
})
