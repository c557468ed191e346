import { beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { grpcCallOf } from '../grpc/grpc-call.ts'
import { headersPredicate } from '../route/match.ts'
import { Attempts, Outcomes } from '../test-attempts.ts'
import { testExchange } from '../test-exchange.ts'
import { fault, type FaultParts } from './fault.ts'

let clock: ManualClock
let attempts: Attempts
let client: Outcomes
let counts: FaultParts['counts']
let random: number

beforeEach(() => {
  clock = new ManualClock()
  attempts = new Attempts()
  client = new Outcomes()
  counts = { delays: 0, aborts: 0 }
  random = 0.5
})

function start(policy: Partial<FaultParts['policy']>, x = testExchange(), matches?: FaultParts['matches']) {
  const parts = { policy: { delay: undefined, abort: undefined, ...policy }, counts, clock, matches }
  fault({ ...parts, random: () => random })(attempts.handler)(x, client)
  return x
}

test('a delay holds the request back, and says so', () => {
  const x = start({ delay: { delayMs: 100, percent: 100 } })
  clock.advance(99)
  expect(attempts.all).toHaveLength(0)
  clock.advance(1)
  expect(attempts.all).toHaveLength(1)
  expect([x.flag, x.nowMs, counts.delays]).toEqual(['DI', 100, 1])
})

test('an abort answers in place of the application', () => {
  const x = start({ abort: { status: 418, percent: 100 } })
  expect(attempts.all).toHaveLength(0)
  expect(client.told).toEqual(['418'])
  expect(client.replies[0]?.headers.get('weft-error')).toBe('FI')
  expect([x.flag, counts.aborts]).toEqual(['FI', 1])
})

test.each([
  ['its own status of gRPC', { status: 429, grpcStatus: 8 }, '8'],
  ['what its status of HTTP means there', { status: 503 }, '14'],
])('a call is told %s', (_, abort, told) => {
  const x = testExchange({ headers: { 'content-type': 'application/grpc' } })
  x.grpc = grpcCallOf(x.headers, 0)
  start({ abort: { ...abort, percent: 100 } }, x)
  expect(client.told).toEqual(['200'])
  expect(client.replies[0]?.headers.get('grpc-status')).toBe(told)
  expect(x.flag).toBe('FI')
})

test('both come one after the other', () => {
  start({ delay: { delayMs: 100, percent: 100 }, abort: { status: 500, percent: 100 } })
  expect(client.told).toEqual([])
  clock.advance(100)
  expect(client.told).toEqual(['500'])
})

test.each([
  [0.499, true],
  [0.5, false],
])('of half of the requests: drawn %d, aborted %s', (drawn, aborted) => {
  random = drawn
  start({ abort: { status: 500, percent: 50 } })
  expect(client.told).toEqual(aborted ? ['500'] : [])
})

describe('headers', () => {
  const matches = headersPredicate([
    { name: 'x-chaos', match: { kind: 'exact', value: 'yes' }, invert: false },
  ])
  test('that a request has not leave it alone', () => {
    start({ abort: { status: 500, percent: 100 } }, testExchange(), matches)
    expect(attempts.all).toHaveLength(1)
    start({ abort: { status: 500, percent: 100 } }, testExchange({ headers: { 'X-Chaos': 'yes' } }), matches)
    expect(client.told).toEqual(['500'])
  })
})

test('a client that goes meanwhile is not waited for', () => {
  const x = start({ delay: { delayMs: 100, percent: 100 } })
  x.abort(new Error('gone'))
  expect(client.told).toEqual(['cancelled failure'])
  clock.advance(1000)
  expect(attempts.all).toHaveLength(0)
})
