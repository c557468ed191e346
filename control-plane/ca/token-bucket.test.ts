import { expect, it } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { TokenBuckets } from './token-bucket.ts'

it('allows a burst, then the steady rate, for each key alone', () => {
  const clock = new ManualClock()
  const buckets = new TokenBuckets({ clock, burst: 2, perMinute: 60 })
  expect([buckets.take('a'), buckets.take('a'), buckets.take('a'), buckets.take('b')]).toEqual([
    true,
    true,
    false,
    true,
  ])
  clock.advance(1000)
  expect([buckets.take('a'), buckets.take('a')]).toEqual([true, false])
})

it('forgets keys that have been quiet', () => {
  const clock = new ManualClock()
  const buckets = new TokenBuckets({ clock, burst: 1, perMinute: 60 })
  for (let i = 0; i < 1024; i++) buckets.take(`old-${i}`)
  clock.advance(60_000)
  buckets.take('new')
  expect(buckets.size).toBe(1)
})
