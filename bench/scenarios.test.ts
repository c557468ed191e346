import { expect, test } from 'vitest'
import { guardDeadlinesMs, guardScenarios } from './guard.ts'
import { limits } from './limits.ts'
import { peers } from './peers.ts'
import { scenarios } from './scenarios.ts'

test('names are unique, subjects too, and every base is one of its subjects', () => {
  expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length)
  for (const { name, subjects, base } of scenarios) {
    const names = subjects.map((subject) => subject.name)
    expect(new Set(names).size, name).toBe(names.length)
    expect(names, name).toContain(base)
  }
})

test('every subject is a peer that can stand in the topology and speaks the protocol', () => {
  for (const { name, subjects, topology, protocol } of scenarios) {
    for (const { peer, protocol: own = protocol } of subjects) {
      const known = peers.find((each) => each.name === peer)
      expect(known?.topologies, `${name}: ${peer}`).toContain(topology)
      expect(known?.protocols, `${name}: ${peer}`).toContain(own)
    }
  }
})

test('every limit is about subjects that are measured in one run', () => {
  for (const { what, scenario, subject, quantity } of limits) {
    const names = scenarios.find(({ name }) => name === scenario)?.subjects.map(({ name }) => name)
    expect(names, what).toContain(subject)
    if ('base' in quantity) expect(names, what).toContain(quantity.base)
    if (quantity.kind === 'added-p99-ratio') expect(names, what).toContain('direct')
  }
})

test('the guard runs the scenarios of its limits with nobody but those that are compared', () => {
  const guarded = guardScenarios(scenarios)
  expect(guarded.map(({ name, subjects }) => [name, subjects.map((subject) => subject.name)])).toEqual([
    ['plain-saturated', ['haproxy', 'weft', 'undici', 'http-proxy']],
    ['mtls-pair-saturated', ['haproxy', 'weft']],
    ['routes', ['weft, 1 route', 'weft, 1000 routes']],
    ['h2c-8x16', ['haproxy', 'weft']],
    ['h2-mtls-pair-8x16', ['haproxy', 'weft']],
  ])
})

test('the last deadline of the guard leaves it within three minutes, and each has its share', () => {
  const deadlines = guardDeadlinesMs(guardScenarios(scenarios))
  expect(deadlines.at(-1)).toBeLessThan(180_000)
  const shares = deadlines.map((deadline) => (12 * deadline) / (deadlines.at(-1) as number))
  expect(shares.map(Math.round)).toEqual([4, 6, 8, 10, 12])
})
