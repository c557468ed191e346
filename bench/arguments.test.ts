import { expect, test } from 'vitest'
import { readArguments } from './arguments.ts'
import { scenarios } from './scenarios.ts'

const read = (...args: readonly string[]) => readArguments(args, scenarios)

test('nothing means everything', () => {
  expect(read()).toEqual({ mode: 'run', scenarios, rounds: undefined, minutes: 10 })
})

test('scenarios are named, together or one by one, and stay in order', () => {
  const names = ['plain-saturated', 'routes', 'starts']
  const given = read('--scenario', 'starts,routes', '--scenario', 'plain-saturated', '--rounds', '3')
  expect(given.scenarios.map(({ name }) => name)).toEqual(names)
  expect(given.rounds).toBe(3)
})

test('autocannon makes the load where it is saturated, and nowhere else', () => {
  const given = read('--load', 'autocannon', '--scenario', 'plain-saturated,starts')
  expect(given.scenarios.map(({ load }) => load)).toEqual([
    { kind: 'saturated', connections: 16, by: 'autocannon' },
    { kind: 'starts' },
  ])
})

test('a profile is of one scenario unless more are named', () => {
  expect(read('--profile').scenarios.map(({ name }) => name)).toEqual(['plain-saturated'])
  expect(read('--profile', '--scenario', 'routes,mtls-pair-saturated').scenarios).toHaveLength(2)
})

test('a soak is of HTTP/2, alone and as a pair, unless others are named', () => {
  const given = read('--soak', '--minutes', '0.5')
  expect(given.minutes).toBe(0.5)
  expect(given.scenarios.map(({ name }) => name)).toEqual(['h2c-8x16', 'h2-mtls-pair-8x16'])
  expect(read('--soak', '--scenario', 'memory').scenarios.map(({ name }) => name)).toEqual(['memory'])
})

test.each([
  [['--scenario', 'nope'], /there is no 'nope'/],
  [['--rounds', '0'], /no number of rounds/],
  [['--rounds', 'x'], /no number of rounds/],
  [['--minutes', 'long'], /'long' is no time/],
  [['--guard', '--profile'], /exclude each other/],
  [['--guard', '--scenario', 'routes'], /scenarios of its own/],
  [['--load', 'ab'], /'ab' is not wrk or autocannon/],
  [['--guard', '--load', 'autocannon'], /a load of its own/],
  [['--fast'], /--fast/],
  [['plain-saturated'], /plain-saturated/],
])('%j is refused', (args, detail) => {
  expect(() => read(...args)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', detail: [expect.stringMatching(detail)] }),
  )
})
