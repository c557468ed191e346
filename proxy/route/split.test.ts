import { describe, expect, test } from 'vitest'
import { makeSplit, type Weighted } from './split.ts'

const picks = 100_000
/** What chi-squared stays below in 99 of 100 runs of a fair chooser, by degrees of freedom. */
const bound99: Readonly<Record<number, number>> = { 1: 6.635, 2: 9.21 }

/** Marsaglia's xorshift32, so that a run can be repeated. */
function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

function chiSquared(weights: readonly number[], choose: () => number | undefined): number {
  const seen = weights.map(() => 0)
  for (let i = 0; i < picks; i++) {
    const chosen = choose() as number
    seen[chosen] = (seen[chosen] as number) + 1
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.reduce((sum, weight, i) => {
    const expected = (picks * weight) / total
    return sum + ((seen[i] as number) - expected) ** 2 / expected
  }, 0)
}

const indexed = (weights: readonly number[]): readonly Weighted<number>[] =>
  weights.map((weight, item) => ({ item, weight }))
const all = (): boolean => true

const shares: readonly (readonly number[])[] = [
  [1, 99],
  [33, 33, 34],
  // 500m and 1500m, as the control plane sends them.
  [1, 3],
]

describe.each(shares)('the shares %i : %i : %s', (...given: readonly (number | undefined)[]) => {
  const weights = given.filter((weight) => weight !== undefined)
  const bound = bound99[weights.length - 1] as number

  test('are kept within the 99 % bound of chi-squared', () => {
    for (const seed of [1, 20, 300, 4000, 50_000])
      expect(chiSquared(weights, makeSplit(indexed(weights), all, seededRandom(seed)))).toBeLessThan(bound)
  })
  test('are kept by the random numbers in use: beyond the bound about one run in a hundred', () => {
    const runs = Array.from({ length: 20 }, () => chiSquared(weights, makeSplit(indexed(weights), all)))
    // Five or more of twenty: once in 700,000 runs of a fair chooser.
    expect(runs.filter((value) => value > bound).length).toBeLessThan(5)
  })
})

test('a chooser that is a little off is found out', () => {
  const off = makeSplit(indexed([1.15, 98.85]), all, seededRandom(1))
  expect(chiSquared([1, 99], off)).toBeGreaterThan(bound99[1] as number)
})

test('picks do not depend on those before, nor on when the weights were set', () => {
  const random = seededRandom(7)
  // A new chooser for every pick, as when weights change all the time.
  const fresh = (): number | undefined => makeSplit(indexed([1, 3]), all, random)()
  expect(chiSquared([1, 3], fresh)).toBeLessThan(bound99[1] as number)
})

test('a zero weight gets nothing', () => {
  const choose = makeSplit(indexed([0, 1, 0, 1]), all)
  const seen = new Set(Array.from({ length: 1000 }, choose))
  expect(seen).toEqual(new Set([1, 3]))
})

test('what is not available gives its share to the others, in proportion', () => {
  const choose = makeSplit(indexed([6, 1, 3]), (item) => item !== 0, seededRandom(3))
  const others = (): number => (choose() as number) - 1
  expect(chiSquared([1, 3], others)).toBeLessThan(bound99[1] as number)
})

test('nothing is chosen when nothing is available', () => {
  expect(makeSplit(indexed([1, 1]), () => false)()).toBeUndefined()
  expect(makeSplit(indexed([1]), () => false)()).toBeUndefined()
  expect(makeSplit(indexed([0, 0]), all)()).toBeUndefined()
})
