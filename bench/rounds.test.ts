import { expect, test } from 'vitest'
import { runRounds, type RoundsOptions } from './rounds.ts'

/** Measures nothing but the order; `steals` are the shares of the rounds, one after the other. */
function options(
  rounds: number,
  spareRounds: number,
  steals: readonly number[],
): RoundsOptions<string, string> & { readonly order: string[] } {
  const order: string[] = []
  let asked = 0
  return {
    order,
    subjects: ['a', 'b', 'c'],
    rounds,
    spareRounds,
    measure: (subject) => Promise.resolve(`${subject}${order.push(subject)}`),
    // Asked before and after each round; what it says before is of no round.
    steal: () => (asked++ % 2 === 0 ? 1 : (steals[(asked - 2) / 2] ?? 0)),
    outOfTime: () => false,
    onRound: () => undefined,
  }
}

test('subjects are measured there and back, and each sample is filed under its subject', async () => {
  const given = options(3, 0, [])
  const { samples } = await runRounds(given)
  expect(given.order.join('')).toBe('abccbaabc')
  expect(samples).toEqual([
    ['a1', 'a6', 'a7'],
    ['b2', 'b5', 'b8'],
    ['c3', 'c4', 'c9'],
  ])
})

test('a round in which the machine was taken away is measured again', async () => {
  const { samples, repeated, steal } = await runRounds(options(2, 5, [0.01, 0.5, 0.01]))
  expect(samples[0]).toEqual(['a1', 'a9'])
  expect(repeated).toBe(1)
  expect(steal).toBeCloseTo(0.01)
})

test('on a machine that is always taken away it ends all the same, and says how much was stolen', async () => {
  const { samples, repeated, steal } = await runRounds(
    options(
      2,
      3,
      Array.from({ length: 9 }, () => 0.5),
    ),
  )
  expect(samples[0]).toHaveLength(2)
  expect(repeated).toBe(3)
  expect(steal).toBe(0.5)
})

test('when time is up there are still the least rounds', async () => {
  const { samples } = await runRounds({ ...options(11, 3, [0.5, 0.5]), outOfTime: () => true })
  expect(samples.map((of) => of.length)).toEqual([5, 5, 5])
})
