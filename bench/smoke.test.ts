import { expect, test } from 'vitest'
import { scenarios } from './scenarios.ts'
import { smokeScenarios } from './smoke.ts'

test('a smoke runs every scenario, with the base that the others are divided by', () => {
  const smoke = smokeScenarios(scenarios)
  expect(smoke.map(({ name }) => name)).toEqual(scenarios.map(({ name }) => name))
  for (const { name, subjects, base } of smoke)
    expect(
      subjects.map((subject) => subject.name),
      name,
    ).toContain(base)
})

test('a smoke puts every peer under each kind of load in each topology that it is measured in', () => {
  const setups = (of: typeof scenarios): string[] => [
    ...new Set(
      of.flatMap(({ topology, protocol, load, subjects }) =>
        subjects.map(({ peer, variant }) => JSON.stringify([peer, topology, protocol, load.kind, variant])),
      ),
    ),
  ]
  expect(setups(smokeScenarios(scenarios))).toEqual(expect.arrayContaining(setups(scenarios)))
})

test('a smoke leaves out what has run before: a second peer under the same load', () => {
  const all = scenarios.flatMap(({ subjects }) => subjects).length
  expect(smokeScenarios(scenarios).flatMap(({ subjects }) => subjects).length).toBeLessThan(all * 0.8)
})
