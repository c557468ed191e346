import { expect, test } from 'vitest'
import { KeyedBuckets } from './keyed-buckets.ts'

test('there are at most so many buckets; the one unused longest goes', () => {
  const buckets = new KeyedBuckets({ burst: 1, perSecond: 0.001 }, 3)
  for (const key of ['a', 'b', 'c']) expect(buckets.take(key, 0)).toBe(0)
  expect(buckets.take('a', 0), 'used, and used up').toBeGreaterThan(0)
  expect(buckets.take('d', 0)).toBe(0)
  expect(buckets.size).toBe(3)
  expect(buckets.take('a', 0), 'still there').toBeGreaterThan(0)
  expect(buckets.take('b', 0), 'gone, so it is full again').toBe(0)
  for (let i = 0; i < 100_000; i++) buckets.take(`key-${i}`, 0)
  expect(buckets.size).toBe(3)
})
