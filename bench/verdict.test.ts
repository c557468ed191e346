import { build } from 'hdr-histogram-js'
import { expect, test } from 'vitest'
import type { Limit } from './limits.ts'
import type { Sample, ScenarioResult } from './scenario.ts'
import { scenarios } from './scenarios.ts'
import { isKept, isLost, judge } from './verdict.ts'

function result(subjects: Readonly<Record<string, readonly Sample[]>>): ScenarioResult {
  const scenario = scenarios[0] as ScenarioResult['scenario']
  const named = Object.entries(subjects).map(([name, samples]) => ({ name, samples }))
  return { scenario, subjects: named, missing: [], repeated: 0, steal: 0 }
}

const costs = (...values: readonly number[]): Sample[] => values.map((cpuUs) => ({ metrics: { cpuUs } }))

function tails(...valuesUs: readonly number[]): Sample[] {
  return valuesUs.map((us) => {
    const latencyUs = build()
    latencyUs.recordValue(us)
    return { metrics: {}, latencyUs }
  })
}

const limit: Limit = {
  what: 'x',
  scenario: 'plain-saturated',
  subject: 'weft',
  quantity: { kind: 'cpu-ratio', base: 'haproxy' },
  atMost: 1.25,
  guarded: true,
}

test('a ratio is of two costs of one round, never of rounds apart', () => {
  // Twice as slow a machine in the second round changes both.
  const [verdict] = judge([limit], [result({ weft: costs(12, 24, 12), haproxy: costs(10, 20, 10) })])
  expect(verdict?.measured).toEqual({ lower: 1.2, median: 1.2, upper: 1.2 })
})

test('a time is the longer the lower the rate', () => {
  const rates = (...values: readonly number[]): Sample[] =>
    values.map((perSecond) => ({ metrics: { perSecond } }))
  const times: Limit = { ...limit, quantity: { kind: 'time-ratio', base: 'haproxy' } }
  const [verdict] = judge([times], [result({ weft: rates(50, 25, 50), haproxy: rates(100, 50, 100) })])
  expect(verdict?.measured).toEqual({ lower: 2, median: 2, upper: 2 })
})

test('a promise is kept by the median, and lost when even the lower quartile is above', () => {
  const of = (...values: readonly number[]) =>
    judge([limit], [result({ weft: costs(...values), haproxy: costs(...values.map(() => 1)) })])[0]!
  expect([isKept(of(1.25)), isLost(of(1.25))]).toEqual([true, false])
  // Noise on one side.
  expect([isKept(of(1.2, 1.3, 1.3)), isLost(of(1.2, 1.3, 1.3))]).toEqual([false, false])
  expect([isKept(of(1.26, 1.27, 1.28)), isLost(of(1.26, 1.27, 1.28))]).toEqual([false, true])
})

test.each([
  ['the scenario', []],
  ['the subject', [result({ haproxy: costs(1) })]],
  ['the base', [result({ weft: costs(1) })]],
  ['the cost', [result({ weft: [{ metrics: {} }], haproxy: costs(1) })]],
])('without %s nothing is kept', (_what, results) => {
  const [verdict] = judge([limit], results)
  expect([isKept(verdict!), isLost(verdict!)]).toEqual([false, true])
})

test('what a pair adds to the tail is compared, not the tail', () => {
  const added: Limit = { ...limit, quantity: { kind: 'added-p99-ratio', base: 'haproxy' } }
  const results = [result({ direct: tails(100, 200), haproxy: tails(300, 400), weft: tails(400, 500) })]
  expect(judge([added], results)[0]?.measured?.median).toBeCloseTo(1.5, 1)
})

test('memory and start are judged as they are', () => {
  const memory: Limit = { ...limit, quantity: { kind: 'metric', metric: 'rssMb', unit: 'MB' }, atMost: 64 }
  const results = [result({ weft: [{ metrics: { rssMb: 60 } }, { metrics: { rssMb: 62 } }] })]
  expect(judge([memory], results)[0]?.measured?.median).toBe(61)
})
