import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { churnConfiguration } from './churn.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('the configuration goes to and fro until the end, and back to what it was', async () => {
  const written: boolean[] = []
  const applied = () => Promise.resolve(written.length)
  const end = await churnConfiguration({ changesPerSecond: 5, change: (x) => written.push(x), applied })
  vi.advanceTimersByTime(600)
  await end()
  vi.advanceTimersByTime(600)
  expect(written).toEqual([true, false, true, false])
})

test('changes that do not reach the proxy are no churn', async () => {
  const applied = () => Promise.resolve(7)
  const end = await churnConfiguration({ changesPerSecond: 5, change: () => undefined, applied })
  vi.advanceTimersByTime(400)
  await expect(end()).rejects.toThrow('of 2 changes of the configuration 0 reached the proxy')
})
