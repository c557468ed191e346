import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { ConnectionCount } from '../pool/connection-count.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import type { ClusterLimits } from './cluster-config.ts'

function make(limits: Partial<ClusterLimits>) {
  const clock = new ManualClock()
  const connections = new ConnectionCount()
  const breaker = new CircuitBreaker(
    {
      maxConnections: 1,
      maxPending: 2,
      maxRequests: 10,
      maxRetries: 3,
      retryBudget: undefined,
      queueTimeoutMs: 100,
      ...limits,
    },
    connections,
    clock,
  )
  const told: string[] = []
  const waiting = (name: string) => ({
    proceed: () => {
      told.push(`${name} proceeds`)
      connections.open++
    },
    giveUp: (limit: string) => void told.push(`${name} gives up: ${limit}`),
  })
  const free = async () => {
    connections.open--
    connections.onFree?.()
    await Promise.resolve()
  }
  return { breaker, clock, connections, told, waiting, free }
}

test('so many requests are in flight, and no more until one leaves', () => {
  const { breaker } = make({ maxRequests: 2 })
  expect([breaker.enter(false), breaker.enter(false), breaker.enter(false)]).toEqual([
    undefined,
    undefined,
    'requests',
  ])
  breaker.leave(false)
  expect(breaker.enter(false)).toBeUndefined()
  expect(breaker.overflows.requests).toBe(1)
})

test('so many retries are in flight, beside other requests', () => {
  const { breaker } = make({ maxRetries: 1 })
  expect([breaker.enter(true), breaker.enter(true), breaker.enter(false)]).toEqual([
    undefined,
    'retries',
    undefined,
  ])
  breaker.leave(true)
  expect(breaker.enter(true)).toBeUndefined()
})

test('whether a retry would be let in is told before, and counted when it would not', () => {
  const { breaker } = make({ maxRetries: 1 })
  expect(breaker.admitsRetry()).toBe(true)
  breaker.enter(true)
  expect(breaker.admitsRetry()).toBe(false)
  expect(breaker.overflows.retries).toBe(1)
  breaker.leave(true)
  expect(breaker.admitsRetry()).toBe(true)
})

test('a retry budget counts retries against requests, above a floor', () => {
  const { breaker } = make({ maxRequests: 100, retryBudget: { percent: 20, minConcurrency: 2 } })
  for (let i = 0; i < 18; i++) breaker.enter(false)
  expect([breaker.enter(true), breaker.enter(true), breaker.enter(true), breaker.enter(true)]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ])
  expect(breaker.enter(true)).toBeUndefined()
  expect(breaker.enter(true)).toBe('retries')
})

describe('a request without a connection', () => {
  test('waits for one, first come first served', async () => {
    const { breaker, connections, told, waiting, free } = make({})
    connections.open = 1
    expect(breaker.hasConnection).toBe(false)
    expect(breaker.wait(waiting('a'))).toBe(true)
    expect(breaker.wait(waiting('b'))).toBe(true)
    await free()
    expect(told).toEqual(['a proceeds'])
    await free()
    expect(told).toEqual(['a proceeds', 'b proceeds'])
  })

  test('does not overtake those that wait', () => {
    const { breaker, connections, waiting } = make({})
    connections.open = 1
    breaker.wait(waiting('a'))
    connections.idle = 1
    expect(breaker.hasConnection).toBe(false)
  })

  test('fails at once when the queue is full', () => {
    const { breaker, waiting } = make({ maxPending: 1 })
    expect(breaker.wait(waiting('a'))).toBe(true)
    expect(breaker.wait(waiting('b'))).toBe(false)
    expect(breaker.overflows.pending).toBe(1)
  })

  test('gives up after the queue timeout', () => {
    const { breaker, clock, told, waiting } = make({})
    breaker.wait(waiting('a'))
    clock.advance(99)
    expect(told).toEqual([])
    clock.advance(1)
    expect(told).toEqual(['a gives up: queue-timeout'])
    expect(breaker.pending).toBe(0)
    expect(clock.pending).toBe(0)
  })

  test('is told nothing once it was taken out of the queue', async () => {
    const { breaker, clock, connections, told, waiting, free } = make({})
    connections.open = 1
    const entry = waiting('a')
    breaker.wait(entry)
    breaker.forget(entry)
    await free()
    clock.advance(1_000)
    expect(told).toEqual([])
  })

  test('goes on when the limit is raised', () => {
    const { breaker, connections, told, waiting } = make({})
    connections.open = 1
    breaker.wait(waiting('a'))
    breaker.wait(waiting('b'))
    breaker.limits = { ...breaker.limits, maxConnections: 2 }
    breaker.recheck()
    expect(told).toEqual(['a proceeds'])
  })
})
