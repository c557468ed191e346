import { beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import type { Handler } from '../exchange.ts'
import type { RateLimitKey } from '../rate-limit/rate-limit-policy.ts'
import { Attempts, Outcomes } from '../test-attempts.ts'
import { testExchange } from '../test-exchange.ts'
import { rateLimit } from './rate-limit.ts'

let clock: ManualClock
let client: Outcomes
let counts: { limited: number }

beforeEach(() => {
  clock = new ManualClock()
  client = new Outcomes()
  counts = { limited: 0 }
})

function limit(per: RateLimitKey, burst = 3, perSecond = 1): Handler {
  return rateLimit(
    { bucket: { burst, perSecond }, per },
    counts,
    clock.monotonicMs,
  )((x, receiver) => {
    const attempts = new Attempts()
    attempts.handler(x, receiver)
    attempts.last.reply(200)
  })
}

/** Sends `count` requests now; the statuses. */
function send(handler: Handler, count: number, facts: Parameters<typeof testExchange>[0] = {}): string[] {
  for (let i = 0; i < count; i++) {
    const x = testExchange({ ...facts, startedAtMs: clock.monotonicMs() })
    handler(x, client)
    if (client.told.at(-1) === '429') expect(x.flag).toBe('RL')
  }
  return client.told.splice(0)
}

test('a burst passes, then what the rate gives; the rest gets 429 and is told when to come back', () => {
  const handler = limit({ kind: 'total' }, 3, 0.5)
  expect(send(handler, 4)).toEqual(['200', '200', '200', '429'])
  expect(client.replies.at(-1)?.headers.get('retry-after')).toBe('2')
  expect(client.replies.at(-1)?.headers.get('weft-error')).toBe('RL')
  clock.advance(1999)
  expect(send(handler, 1)).toEqual(['429'])
  expect(client.replies.at(-1)?.headers.get('retry-after'), 'never 0').toBe('1')
  clock.advance(1)
  expect(send(handler, 2)).toEqual(['200', '429'])
  expect(counts.limited).toBe(3)
})

test('what was not used is saved up to the burst', () => {
  const handler = limit({ kind: 'total' })
  clock.advance(1_000_000)
  expect(send(handler, 5)).toEqual(['200', '200', '200', '429', '429'])
})

describe('per principal', () => {
  test('each has a limit of its own, and those without one share theirs', () => {
    const handler = limit({ kind: 'principal' }, 1)
    const [web, api] = ['spiffe://t/ns/shop/sa/web', 'spiffe://t/ns/shop/sa/api']
    expect(send(handler, 2, { principal: web })).toEqual(['200', '429'])
    expect(send(handler, 2, { principal: api })).toEqual(['200', '429'])
    expect(send(handler, 2)).toEqual(['200', '429'])
  })
})

describe('per header', () => {
  const key = { kind: 'header', name: 'x-user' } as const
  const as = (user: string) => ({ headers: { 'X-User': user } })

  test('each value has a limit of its own, and leaving it out is no way around', () => {
    const handler = limit(key, 1)
    expect(send(handler, 2, as('a'))).toEqual(['200', '429'])
    expect(send(handler, 2, as('b'))).toEqual(['200', '429'])
    expect(send(handler, 2)).toEqual(['200', '429'])
  })
})
