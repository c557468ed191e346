import { Buffer } from 'node:buffer'
import { beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { Body, chunked } from '../body.ts'
import { grpcCallOf } from '../grpc/grpc-call.ts'
import { HeaderList } from '../header-list.ts'
import type { Layer } from '../layer.ts'
import { DestinationRetries } from '../retry/destination-retries.ts'
import { RetryRules } from '../retry/retry-policy.ts'
import { Attempts, Outcomes } from '../test-attempts.ts'
import { testExchange } from '../test-exchange.ts'
import { attemptTimeout } from './attempt-timeout.ts'
import { idleTimeout } from './idle-timeout.ts'
import { retryByPolicy } from './retry.ts'
import { callDeadline, timeout } from './timeout.ts'

let clock: ManualClock
let attempts: Attempts
let client: Outcomes

beforeEach(() => {
  clock = new ManualClock()
  attempts = new Attempts()
  client = new Outcomes()
})

function start(layer: Layer, x = testExchange()) {
  layer(attempts.handler)(x, client)
  return x
}

function retrying(limit: number): Layer {
  const rules = new RetryRules({
    conditions: ['5xx'],
    statusCodes: [],
    methods: undefined,
    limit,
    backoff: { minMs: 0, baseMs: 10, maxMs: 10, retryAfterMaxMs: undefined },
  })
  const retries = new DestinationRetries(clock.monotonicMs)
  return retryByPolicy({ rules, retries, clock, random: () => 0.99 })
}

const streaming = (): Body => new Body(chunked, undefined)

describe.each([
  ['the timeout of a request', () => timeout(100, clock)],
  ['the timeout of an attempt', () => attemptTimeout({ headMs: 100, endMs: undefined }, clock)],
  ['the timeout of an attempt to its end', () => attemptTimeout({ headMs: undefined, endMs: 100 }, clock)],
  ['the idle timeout', () => idleTimeout(100, clock)],
])('%s', (_name, layer) => {
  test('ends what has no reply, and cancels it', () => {
    const x = start(layer())
    clock.advance(99)
    expect(client.told).toEqual([])
    clock.advance(26)
    expect(client.told).toEqual(['timeout failure'])
    expect(attempts.last.cancelled).toBeDefined()
    expect(x.nowMs).toBeGreaterThanOrEqual(100)
  })
  test('is over with a complete reply, a failure, or a tunnel', () => {
    start(layer())
    attempts.last.reply(200)
    start(layer())
    attempts.last.fail('reset')
    expect(clock.pending).toBe(0)
    expect(client.told).toEqual(['200', 'reset failure'])
  })
  test('is over when the reply is', () => {
    start(layer())
    const body = streaming()
    attempts.last.reply(200, new HeaderList(), body)
    body.finish()
    expect(clock.pending).toBe(0)
  })
})

test.each([
  ['of a request', () => timeout(100, clock)],
  ['of an attempt to its end', () => attemptTimeout({ headMs: undefined, endMs: 100 }, clock)],
])('the timeout %s cuts off a reply that is not complete', (_name, layer) => {
  const x = start(layer())
  const body = streaming()
  attempts.last.reply(200, new HeaderList(), body)
  clock.advance(99)
  body.push(Buffer.from('x'))
  expect(attempts.last.cancelled).toBeUndefined()
  clock.advance(1)
  expect(attempts.last.cancelled).toBeDefined()
  expect(client.told, 'nothing but the reply').toEqual(['200'])
  expect(x.flag).toBe('UT')
})

test('the timeout of an attempt to its head leaves the rest of the reply alone', () => {
  start(attemptTimeout({ headMs: 100, endMs: undefined }, clock))
  attempts.last.reply(200, new HeaderList(), streaming())
  clock.advance(10_000)
  expect(attempts.last.cancelled).toBeUndefined()
})

describe('the idle timeout', () => {
  test('begins anew with every byte, of the request or of the reply', () => {
    const request = new Body(chunked, undefined)
    start(idleTimeout(100, clock), testExchange({ method: 'POST', body: request }))
    for (let i = 0; i < 10; i++) {
      clock.advance(90)
      request.push(Buffer.from('x'))
    }
    request.finish()
    const body = streaming()
    clock.advance(50)
    attempts.last.reply(200, new HeaderList(), body)
    for (let i = 0; i < 10; i++) {
      clock.advance(90)
      body.push(Buffer.from('x'))
    }
    expect(attempts.last.cancelled).toBeUndefined()
    clock.advance(150)
    expect(attempts.last.cancelled).toBeDefined()
    expect(client.told).toEqual(['200'])
  })
})

describe('with retries', () => {
  const both =
    (outer: Layer, inner: Layer): Layer =>
    (next) =>
      outer(inner(next))

  test('an attempt that takes too long is followed by another one, with its own time', () => {
    const x = start(both(retrying(1), attemptTimeout({ headMs: 100, endMs: undefined }, clock)))
    clock.advance(100)
    expect(attempts.all[0]?.cancelled).toBeDefined()
    clock.advance(10)
    expect(attempts.all).toHaveLength(2)
    clock.advance(99)
    expect(attempts.last.cancelled).toBeUndefined()
    attempts.last.reply(200)
    expect(client.told).toEqual(['200'])
    expect(x.retryReason).toBe('attempt-timeout')
    expect(clock.pending).toBe(0)
  })

  test('the time of an attempt whose reply was not wanted does not end the next one', () => {
    start(both(retrying(1), attemptTimeout({ headMs: undefined, endMs: 100 }, clock)))
    const unwanted = new Body(5, undefined)
    attempts.last.reply(503, new HeaderList(), unwanted)
    clock.advance(10)
    unwanted.push(Buffer.alloc(5))
    unwanted.finish()
    clock.advance(95)
    expect(attempts.all).toHaveLength(2)
    expect(attempts.last.cancelled).toBeUndefined()
  })

  test('the request ends in its time, whatever attempt is under way or waits', () => {
    const x = start(both(timeout(100, clock), retrying(5)))
    attempts.last.reply(503)
    clock.advance(10)
    expect(attempts.all).toHaveLength(2)
    clock.advance(90)
    expect(client.told).toEqual(['timeout failure'])
    expect(attempts.last.cancelled).toBeDefined()
    expect(x.timedOut).toBe(true)
    clock.advance(1000)
    expect(attempts.all).toHaveLength(2)

    start(both(timeout(5, clock), retrying(5)))
    attempts.last.reply(503)
    clock.advance(1000)
    expect(attempts.all, 'the retry that waited is called off').toHaveLength(3)
    expect(client.told).toEqual(['timeout failure', 'timeout failure'])
  })
})

describe('the deadline of a gRPC call', () => {
  const call = (timeoutText: string, startedAtMs = 0) => {
    const headers = { 'content-type': 'application/grpc', 'grpc-timeout': timeoutText }
    const x = testExchange({ headers, startedAtMs })
    x.grpc = grpcCallOf(x.headers, startedAtMs)
    return x
  }
  test('ends it with a timeout, and cancels what is under way', () => {
    const x = start(callDeadline(clock), call('100m'))
    clock.advance(99)
    expect(client.told).toEqual([])
    clock.advance(1)
    expect([client.told, x.timedOut]).toEqual([['timeout failure'], true])
    expect(attempts.last.cancelled).toBeDefined()
  })
  test('leaves alone what came without one', () => {
    start(callDeadline(clock))
    clock.advance(1e9)
    expect(client.told).toEqual([])
  })
  test('that has passed already sends nothing', () => {
    expect(() => start(callDeadline(clock), call('0n'))).toThrow('no time left')
    expect(attempts.all).toEqual([])
  })
  test('is lowered by the timeout of its route, for those behind it', () => {
    const x = start(timeout(40, clock), call('100m'))
    expect(x.grpc?.deadlineMs).toBe(40)
    expect(start(timeout(400, clock), call('100m')).grpc?.deadlineMs).toBe(100)
  })
})
