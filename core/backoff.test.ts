import { expect, it } from 'vitest'
import { Backoff } from './backoff.ts'

it('doubles the ceiling up to the maximum and begins anew after a reset', () => {
  const backoff = new Backoff({ baseMs: 100, maxMs: 350, random: () => 1 })
  expect([backoff.nextMs(), backoff.nextMs(), backoff.nextMs(), backoff.nextMs()]).toEqual([
    100, 200, 350, 350,
  ])
  backoff.reset()
  expect(backoff.nextMs()).toBe(100)
})

it('draws from the whole range', () => {
  const draws = [0, 0.5]
  const backoff = new Backoff({ baseMs: 100, maxMs: 1000, random: () => draws.shift() ?? 0 })
  expect([backoff.nextMs(), backoff.nextMs()]).toEqual([0, 100])
})
