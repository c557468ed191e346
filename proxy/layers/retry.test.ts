import { Buffer } from 'node:buffer'
import { beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { Body, chunked } from '../body.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { HeaderList } from '../header-list.ts'
import { DestinationRetries } from '../retry/destination-retries.ts'
import { type RetryCondition, type RetryPolicy, RetryRules } from '../retry/retry-policy.ts'
import { Attempts, Outcomes } from '../test-attempts.ts'
import { testExchange } from '../test-exchange.ts'
import type { UpstreamFailureKind } from '../upstream-failure.ts'
import { retryByPolicy } from './retry.ts'

const backoff = { minMs: 0, baseMs: 25, maxMs: 250, retryAfterMaxMs: undefined }

let clock: ManualClock
let retries: DestinationRetries
let attempts: Attempts
let client: Outcomes
let jitter: number

beforeEach(() => {
  clock = new ManualClock()
  retries = new DestinationRetries(clock.monotonicMs)
  attempts = new Attempts()
  client = new Outcomes()
  jitter = 0.5
})

function start(policy: Partial<RetryPolicy>, x = testExchange()) {
  const rules = new RetryRules({
    conditions: ['5xx'],
    statusCodes: [],
    methods: undefined,
    limit: 2,
    backoff,
    ...policy,
  })
  const random = (): number => jitter
  retryByPolicy({ rules, retries, clock, random })(attempts.handler)(x, client)
  return x
}

const replies: readonly (readonly [RetryCondition, number, boolean])[] = [
  ['5xx', 500, true],
  ['5xx', 599, true],
  ['5xx', 499, false],
  ['gateway-error', 502, true],
  ['gateway-error', 504, true],
  ['gateway-error', 500, false],
  ['retriable-4xx', 409, true],
  ['retriable-4xx', 404, false],
  ['retriable-status-codes', 418, true],
  ['retriable-status-codes', 500, false],
  ['reset', 503, false],
  ['connect-failure', 503, false],
]
test.each(replies)('%s and a reply with %i: sent again %s', (condition, status, again) => {
  const x = start({ conditions: [condition], statusCodes: [418] })
  attempts.last.reply(status)
  clock.advance(250)
  expect(attempts.all).toHaveLength(again ? 2 : 1)
  expect(x.retryReason).toBe(again ? condition : '')
})

const failures: readonly (readonly [RetryCondition, UpstreamFailureKind, boolean])[] = [
  ['5xx', 'reset', true],
  ['5xx', 'malformed', true],
  ['5xx', 'timeout', true],
  ['gateway-error', 'reset', true],
  ['reset', 'reset', true],
  ['reset', 'timeout', true],
  ['reset', 'no-endpoint', false],
  ['connect-failure', 'reset', false],
  ['connect-failure', 'timeout', false],
  ['reset-before-request', 'reset', false],
  ['retriable-status-codes', 'reset', false],
  ['5xx', 'cancelled', false],
]
test.each(failures)('%s and no reply because of %s: sent again %s', (condition, kind, again) => {
  start({ conditions: [condition] })
  attempts.last.fail(kind, { requestWritten: true })
  clock.advance(250)
  expect(attempts.all).toHaveLength(again ? 2 : 1)
  expect(client.told).toEqual(again ? [] : [`${kind} failure`])
})

test.each([
  ['unavailable', '14'],
  ['cancelled', '1'],
  ['deadline-exceeded', '4'],
  ['resource-exhausted', '8'],
  ['internal', '13'],
] as const)('%s is the grpc-status %s in the head of a reply', (condition, code) => {
  start({ conditions: [condition] })
  attempts.last.reply(200, HeaderList.of('grpc-status', code))
  clock.advance(250)
  expect(attempts.all).toHaveLength(2)
  attempts.last.reply(200, HeaderList.of('grpc-status', '5'))
  expect(client.told).toEqual(['200'])
})

describe('a retry', () => {
  test('is made as often as the limit says, then the last reply is passed on as it is', () => {
    const x = start({ limit: 2 })
    for (let i = 0; i < 2; i++) {
      attempts.last.reply(503)
      clock.advance(250)
    }
    expect(attempts.all).toHaveLength(3)
    attempts.last.reply(502)
    expect(client.told).toEqual(['502'])
    expect([x.attempts, x.retryReason, x.retryStop, x.flag]).toEqual([3, '5xx', 'limit', 'URX'])
    expect(retries.counts).toMatchObject({ retries: 2, overLimit: 1, successes: 0 })
  })

  test('that succeeds is counted as that', () => {
    start({})
    attempts.last.reply(503)
    clock.advance(250)
    attempts.last.reply(200)
    expect(client.told).toEqual(['200'])
    expect(retries.counts).toMatchObject({ retries: 1, successes: 1 })
  })

  test('waits, with full jitter under a ceiling that doubles up to the maximum', () => {
    start({ limit: 10 })
    const waits: number[] = []
    jitter = 0.999_999
    for (let i = 0; i < 6; i++) {
      attempts.last.reply(503)
      const before = clock.monotonicMs()
      const count = attempts.all.length
      while (attempts.all.length === count) clock.advance(1)
      waits.push(clock.monotonicMs() - before)
    }
    expect(waits).toEqual([25, 50, 100, 200, 250, 250])
    jitter = 0
    attempts.last.reply(503)
    clock.advance(0)
    expect(attempts.all).toHaveLength(8)
  })

  test('never comes sooner than the floor', () => {
    jitter = 0
    start({ backoff: { ...backoff, minMs: 40 } })
    attempts.last.reply(503)
    clock.advance(39)
    expect(attempts.all).toHaveLength(1)
    clock.advance(1)
    expect(attempts.all).toHaveLength(2)
  })

  test('needs the budget; without it the reply is passed on', () => {
    for (let i = 0; i < 10; i++) retries.budget.withdraw()
    const x = start({})
    attempts.last.reply(503)
    expect(client.told).toEqual(['503'])
    expect(x.retryStop).toBe('budget')
    expect(retries.counts).toMatchObject({ retries: 0, overBudget: 1 })
  })

  test('that its cluster has no room for leaves the reply to the client', () => {
    const x = start({})
    x.cluster = { breaker: { admitsRetry: () => false } } as unknown as Cluster
    attempts.last.reply(503)
    expect(client.told).toEqual(['503'])
    expect([x.retryStop, retries.counts.retries]).toEqual(['overflow', 0])
  })

  test('is for the methods of the policy only', () => {
    start({ methods: ['GET'] }, testExchange({ method: 'POST' }))
    attempts.last.reply(503)
    expect(client.told).toEqual(['503'])
  })

  test('is not made after an interim reply went out', () => {
    const x = start({})
    x.interimPassed = true
    attempts.last.reply(503)
    expect(client.told).toEqual(['503'])
  })

  test('is not made when the client has gone, or its time is up', () => {
    const x = start({})
    x.timedOut = true
    attempts.last.fail('reset', { requestWritten: true })
    expect(client.told).toEqual(['reset failure'])
  })

  test('that waits is called off when the client goes', () => {
    const x = start({})
    attempts.last.reply(503)
    x.abort(new Error('gone'))
    expect(client.told).toEqual(['cancelled failure'])
    clock.advance(1000)
    expect(attempts.all).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  test('that is safe for any request comes at once, and before those of the policy', () => {
    start({ conditions: ['connect-failure'], limit: 1 })
    for (let i = 0; i < 2; i++) attempts.last.fail('connect')
    expect(attempts.all).toHaveLength(3)
    attempts.last.fail('connect')
    clock.advance(250)
    expect(attempts.all).toHaveLength(4)
    attempts.last.fail('connect')
    expect(client.told).toEqual(['connect failure'])
  })
})

describe('Retry-After', () => {
  const asking = (value: string): HeaderList => HeaderList.of('Retry-After', value)

  test('is waited out when that is asked for', () => {
    start({ backoff: { ...backoff, retryAfterMaxMs: 5000 } })
    attempts.last.reply(503, asking('2'))
    clock.advance(1999)
    expect(attempts.all).toHaveLength(1)
    clock.advance(1)
    expect(attempts.all).toHaveLength(2)
  })
  test('that is longer than that leaves the reply to the client', () => {
    start({ backoff: { ...backoff, retryAfterMaxMs: 5000 } })
    attempts.last.reply(503, asking('6'))
    expect(client.told).toEqual(['503'])
    expect(retries.counts.retries).toBe(0)
  })
  test.each(['Wed, 21 Oct 2026 07:28:00 GMT', '-1', 'soon'])("'%s' is no number of seconds", (value) => {
    start({ backoff: { ...backoff, retryAfterMaxMs: 5000 } })
    attempts.last.reply(503, asking(value))
    clock.advance(25)
    expect(attempts.all).toHaveLength(2)
  })
  test('is not looked at otherwise', () => {
    start({})
    attempts.last.reply(503, asking('2'))
    clock.advance(25)
    expect(attempts.all).toHaveLength(2)
  })
})

describe('the body of a reply that is not wanted', () => {
  test('is read to its end if that is near, so that the connection serves on', () => {
    start({})
    const body = new Body(10, undefined)
    attempts.last.reply(503, new HeaderList(), body)
    body.push(Buffer.alloc(10))
    body.finish()
    expect(attempts.last.cancelled).toBeUndefined()
    clock.advance(2000)
    expect(attempts.all[0]?.cancelled).toBeUndefined()
    expect(attempts.all).toHaveLength(2)
  })
  test.each([
    ['too long', new Body(64 * 1024 + 1, undefined), 0],
    ['longer than it looked', new Body(chunked, undefined), 64 * 1024 + 1],
  ])('is cut off if it is %s', (_, body, arriving) => {
    start({})
    attempts.last.reply(503, new HeaderList(), body)
    body.push(Buffer.alloc(arriving))
    expect(attempts.all[0]?.cancelled).toBeDefined()
    clock.advance(250)
    attempts.last.reply(200)
    expect(client.told).toEqual(['200'])
  })
  test('is cut off if it does not end soon', () => {
    start({})
    attempts.last.reply(503, new HeaderList(), new Body(10, undefined))
    clock.advance(999)
    expect(attempts.all[0]?.cancelled).toBeUndefined()
    clock.advance(1)
    expect(attempts.all[0]?.cancelled).toBeDefined()
    expect(attempts.all[1]?.cancelled).toBeUndefined()
  })
})

describe('the body of a request', () => {
  const sent = (bytes: number): Body => {
    const body = new Body(bytes, undefined)
    return body
  }
  test('up to 64 KiB is sent again', () => {
    const body = sent(64 * 1024)
    start({}, testExchange({ method: 'POST', body }))
    const pieces: number[] = []
    const sink = {
      write: (piece: Buffer) => pieces.push(piece.length) > 0,
      end: () => pieces.push(0),
      abort: () => 0,
    }
    body.start(sink)
    body.push(Buffer.alloc(64 * 1024))
    body.finish()
    attempts.last.reply(503)
    clock.advance(250)
    expect(attempts.all).toHaveLength(2)
    body.start(sink)
    expect(pieces).toEqual([64 * 1024, 0, 64 * 1024, 0])
  })
  test('that is larger is not, and the reply is passed on', () => {
    const x = start({}, testExchange({ method: 'POST', body: sent(64 * 1024 + 1) }))
    attempts.last.reply(503)
    expect(client.told).toEqual(['503'])
    expect(x.retryStop).toBe('body')
    expect(retries.counts.bodyTooLarge).toBe(1)
  })
  test('that is still on its way is taken off the connection before it goes to the next', () => {
    start({}, testExchange({ method: 'POST', body: sent(100) }))
    attempts.last.reply(503, new HeaderList(), new Body(10, undefined))
    expect(attempts.last.cancelled).toBeDefined()
    clock.advance(250)
    expect(attempts.all).toHaveLength(2)
  })
})

describe('a call that asks for time with grpc-retry-pushback-ms', () => {
  const pushedBack = (value: string) => {
    start({ conditions: ['unavailable'] })
    attempts.last.reply(200, HeaderList.of('grpc-status', '14', 'grpc-retry-pushback-ms', value))
  }
  test('is sent again after exactly that', () => {
    pushedBack('700')
    clock.advance(699)
    expect(attempts.all).toHaveLength(1)
    clock.advance(1)
    expect(attempts.all).toHaveLength(2)
  })
  test.each(['-1', 'x', ''])('is not sent again for %j', (value) => {
    pushedBack(value)
    clock.advance(10_000)
    expect([attempts.all.length, client.told]).toEqual([1, ['200']])
  })
})
