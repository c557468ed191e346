import fc from 'fast-check'
import { expect, test } from 'vitest'
import { reduceWeights } from './rule.ts'

test('weights are reduced by their greatest common divisor', () => {
  expect(reduceWeights([90_000, 10_000])).toEqual([9, 1])
  expect(reduceWeights([7, 3])).toEqual([7, 3])
  expect(reduceWeights([0, 500, 1500])).toEqual([0, 1, 3])
  expect(reduceWeights([0, 0])).toEqual([0, 0])
})

test('weights that the wire cannot carry keep their proportions', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: Number.MAX_SAFE_INTEGER }), { minLength: 2, maxLength: 20 }),
      (weights) => {
        const reduced = reduceWeights(weights)
        const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
        expect(sum(reduced)).toBeLessThanOrEqual(2 ** 32 - 1)
        weights.forEach((weight, i) => {
          expect(Number.isInteger(reduced[i])).toBe(true)
          expect(reduced[i] === 0).toBe(weight === 0)
          if (sum(weights) > 0)
            expect((reduced[i] as number) / sum(reduced)).toBeCloseTo(weight / sum(weights), 7)
        })
      },
    ),
  )
})
