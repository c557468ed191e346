import { beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { Body, chunked } from '../body.ts'
import { HeaderList } from '../header-list.ts'
import { DestinationRetries } from '../retry/destination-retries.ts'
import type { HedgePolicy } from '../route/route-policy.ts'
import { Attempts, Outcomes } from '../test-attempts.ts'
import { testExchange } from '../test-exchange.ts'
import { hedge } from './hedge.ts'

let clock: ManualClock
let retries: DestinationRetries
let attempts: Attempts
let client: Outcomes

beforeEach(() => {
  clock = new ManualClock()
  retries = new DestinationRetries(clock.monotonicMs)
  attempts = new Attempts()
  client = new Outcomes()
})

function start(x = testExchange(), policy: HedgePolicy = { kind: 'delay', delayMs: 50 }) {
  const isGood = ({ status }: { readonly status: number }): boolean => status < 500
  hedge({ policy, retries, isGood, clock })(attempts.handler)(x, client)
  return x
}

/** Two attempts under way. */
function startBoth() {
  const x = start()
  clock.advance(50)
  const [main, twin] = attempts.all
  if (main === undefined || twin === undefined) throw new Error('not two attempts')
  return { x, main, twin }
}

test('nothing is sent twice that is answered in time', () => {
  start()
  clock.advance(49)
  attempts.last.reply(200)
  clock.advance(1000)
  expect(attempts.all).toHaveLength(1)
  expect(client.told).toEqual(['200'])
})

test('a second request goes out after the delay, to another endpoint', () => {
  const { x, main, twin } = startBoth()
  expect(twin.x).not.toBe(x)
  expect(twin.x.tried).toEqual([x.endpoint])
  expect(main.cancelled).toBeUndefined()
  expect([x.attempts, x.retryReason]).toEqual([2, 'hedge'])
  expect(retries.counts).toMatchObject({ retries: 1, hedges: 1 })
})

test('the first one wins when it is first, and the second is cancelled', () => {
  const { main, twin } = startBoth()
  main.reply(200)
  expect(client.told).toEqual(['200'])
  expect(twin.cancelled).toBeDefined()
  expect(main.cancelled).toBeUndefined()
})

test('the second one wins when it is first; what it found is then of the exchange', () => {
  const { x, main, twin } = startBoth()
  const body = new Body(chunked, undefined)
  twin.reply(200, new HeaderList(), body)
  expect(client.told).toEqual(['200'])
  expect(main.cancelled).toBeDefined()
  expect(x.upstreamAddress).toBe('endpoint-1')
  expect(retries.counts.successes).toBe(1)
  x.abort(new Error('gone'))
  expect(twin.cancelled, 'the client can still call it off').toBeDefined()
})

test('a connection that is done with the second request is not cancelled by the first one', () => {
  const { x, twin } = startBoth()
  const body = new Body(chunked, undefined)
  twin.reply(200, new HeaderList(), body)
  // The reply is complete: the connection may serve somebody else by now.
  body.finish()
  x.cancel?.(new Error('late'))
  expect(twin.cancelled).toBeUndefined()
})

describe('a bad outcome', () => {
  test('of one waits for the other', () => {
    const { main, twin } = startBoth()
    main.reply(503)
    expect(client.told).toEqual([])
    twin.reply(200)
    expect(client.told).toEqual(['200'])
  })
  test('of the second waits for the first', () => {
    const { main, twin } = startBoth()
    twin.fail('reset')
    expect(client.told).toEqual([])
    main.reply(200)
    expect(client.told).toEqual(['200'])
  })
  test('whose reply is not complete is cut off when the other is good', () => {
    const { main, twin } = startBoth()
    const body = new Body(chunked, undefined)
    main.reply(503, new HeaderList(), body)
    twin.reply(200)
    expect(main.cancelled).toBeDefined()
    expect(client.told).toEqual(['200'])
  })
  test('of both is told once, a reply rather than none', () => {
    const { main, twin } = startBoth()
    main.reply(503)
    twin.fail('reset')
    expect(client.told).toEqual(['503'])
  })
  test('before the second request went out is told at once', () => {
    start()
    attempts.last.fail('reset')
    expect(client.told).toEqual(['reset failure'])
    expect(clock.pending).toBe(0)
  })
})

test('a client that goes ends both', () => {
  const { x, main, twin } = startBoth()
  x.abort(new Error('gone'))
  expect(main.cancelled).toBeDefined()
  expect(twin.cancelled).toBeDefined()
  expect(client.told).toEqual(['cancelled failure'])
})

test('a client that goes ends the second one when the first has ended badly', () => {
  const { x, main, twin } = startBoth()
  main.reply(503)
  x.abort(new Error('gone'))
  expect(twin.cancelled).toBeDefined()
  expect(client.told).toHaveLength(1)
})

test('without a budget nothing is sent twice', () => {
  for (let i = 0; i < 10; i++) retries.budget.withdraw()
  start()
  clock.advance(1000)
  expect(attempts.all).toHaveLength(1)
  expect(retries.counts.overBudget).toBe(1)
})

test.each([
  ['is not idempotent', () => testExchange({ method: 'POST' })],
  ['has a body on its way', () => testExchange({ method: 'PUT', body: new Body(chunked, undefined) })],
  [
    'waits to be told to go on',
    () => {
      const x = testExchange({ method: 'PUT' })
      x.expectsContinue = true
      return x
    },
  ],
])('what %s is not sent twice', (_, make) => {
  start(make())
  clock.advance(1000)
  expect(attempts.all).toHaveLength(1)
})

describe('a percentile', () => {
  const policy = { kind: 'percentile', percentile: 95 } as const
  const answerAfter = (ms: number): void => {
    start(testExchange({ startedAtMs: clock.monotonicMs() }), policy)
    clock.advance(ms)
    attempts.last.reply(200)
  }

  test('is of what was measured; before that nothing is sent twice', () => {
    start(testExchange(), policy)
    clock.advance(100_000)
    expect(attempts.all).toHaveLength(1)
    attempts.last.reply(200)
    for (let i = 0; i < 100; i++) answerAfter(20)
    const count = attempts.all.length
    start(testExchange({ startedAtMs: clock.monotonicMs() }), policy)
    clock.advance(20)
    expect(attempts.all).toHaveLength(count + 1)
    clock.advance(3)
    expect(attempts.all).toHaveLength(count + 2)
  })

  test('counts what was cut off with at least the time that it took', () => {
    for (let i = 0; i < 30; i++) answerAfter(10)
    for (let i = 0; i < 300; i++) {
      start(testExchange({ startedAtMs: clock.monotonicMs() }), policy)
      clock.advance(12)
      attempts.last.reply(200)
    }
    expect(retries.latencies.percentileMs(50)).toBeGreaterThan(10.5)
  })
})
