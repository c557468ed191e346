import { describe, expect, it } from 'vitest'
import { Body } from '../body.ts'
import { type Exchange, type Receiver, Reply } from '../exchange.ts'
import { HeaderList } from '../header-list.ts'
import type { SpanRecord } from '../telemetry/span.ts'
import { TraceIds } from '../telemetry/trace-ids.ts'
import type { AttemptTimes, Timeline } from '../telemetry/timeline.ts'
import { testExchange } from '../test-exchange.ts'
import { trace } from './trace.ts'

const traceId = '463ac35c9f6413ad48485a3953bb6124'
const caller = 'a2fb4a1d1a96d312'

type Sent = { readonly x: Exchange; readonly spans: readonly SpanRecord[] }
type Time = { nowMs: number; wallMs: number }

/** Sends an exchange through the layer; `act` is what happens to it further down. */
function send(
  headers: Readonly<Record<string, string>>,
  options: {
    readonly rate?: number
    readonly act?: (x: Exchange, pass: (ms: number) => void) => Reply | undefined
  } = {},
): Sent {
  const spans: SpanRecord[] = []
  const time: Time = { nowMs: 0, wallMs: 1_000_000 }
  const pass = (ms: number): void => {
    time.nowMs += ms
    time.wallMs += ms
  }
  const layer = trace({
    ids: new TraceIds(),
    sampling: { rate: options.rate ?? 0 },
    random: () => 0.5,
    nowMs: () => time.nowMs,
    wallMs: () => time.wallMs,
    reporters: [{ report: (span) => void spans.push(span), close: () => Promise.resolve() }],
  })
  const x = testExchange({ target: '/orders?secret=1', headers })
  const receiver: Receiver = { onReply: () => undefined, onFailure: () => undefined }
  layer(() => undefined)(x, receiver)
  if (options.act === undefined) pass(25)
  const reply = options.act === undefined ? replyOf(200) : options.act(x, pass)
  x.done(reply, 0)
  return { x, spans }
}

/** What the balancer does for an attempt, as far as a trace sees it. */
function attempt(x: Exchange, upstream: string, nowMs: number): AttemptTimes {
  const timeline = x.timeline as Timeline
  const times = timeline.begin('catalog', upstream, 'spiffe://cluster.local/ns/shop/sa/catalog', nowMs)
  if (++x.attempts > 1) {
    times.reason = x.retryReason
    x.onAnotherAttempt?.(x, times)
  }
  x.clusterName = 'catalog'
  x.upstreamAddress = upstream
  return times
}

function tags({ attributes }: SpanRecord): Record<string, string | number> {
  const found: Record<string, string | number> = {}
  for (let i = 0; i < attributes.length; i += 2) found[attributes[i] as string] = attributes[i + 1] as string
  return found
}

const replyOf = (status: number): Reply => new Reply(status, '', new HeaderList(), Body.empty)
const sampled = { traceparent: `00-${traceId}-${caller}-01` }

describe('a trace', () => {
  it('is continued: its id stays, the caller becomes the parent, and we the one who calls', () => {
    const { x, spans } = send(sampled)
    expect(x.trace).toMatchObject({ traceId, parentSpanId: caller, sampled: true })
    expect(x.trace?.spanId).not.toBe(caller)
    expect(x.headers.get('traceparent')).toBe(`00-${traceId}-${x.trace?.spanId}-01`)
    expect(x.headers.get('b3')).toBeUndefined()
    expect(spans).toEqual([
      expect.objectContaining({ traceId, spanId: x.trace?.spanId, parentSpanId: caller }),
    ])
  })

  it.each([
    ['W3C', sampled, ['traceparent']],
    ['B3 in one header', { b3: `${traceId}-${caller}-1` }, ['b3']],
    ['B3 in several', { 'X-B3-TraceId': traceId, 'X-B3-SpanId': caller }, ['x-b3-spanid']],
    ['nothing', {}, ['traceparent', 'b3']],
  ])('goes on in the format that came: %s', (_what, headers, names) => {
    const { x } = send(headers as Record<string, string>)
    const all = ['traceparent', 'b3', 'x-b3-spanid']
    expect(all.filter((name) => x.headers.get(name) !== undefined)).toEqual(names)
    for (const name of names) expect(x.headers.get(name)).toContain(x.trace?.spanId)
  })

  it('of which only the decision came is begun here, and that decision holds', () => {
    const { x, spans } = send({ b3: '0' }, { rate: 1 })
    expect(x.trace).toMatchObject({ parentSpanId: undefined, sampled: false })
    expect(x.headers.get('b3')).toBe(`${x.trace?.traceId}-${x.trace?.spanId}-0`)
    expect(x.headers.get('traceparent')).toBeUndefined()
    expect(spans).toEqual([])
    expect(send({ b3: '1' }).spans).toHaveLength(1)
  })

  it('that nobody began is begun here, without a parent', () => {
    const { x } = send({})
    expect(x.trace).toMatchObject({ parentSpanId: undefined })
    expect(x.trace?.traceId).toMatch(/^[0-9a-f]{32}$/)
    expect(send({}).x.trace?.traceId).not.toBe(x.trace?.traceId)
  })
})

describe('the decision to sample', () => {
  it('is that of the caller, whatever our own rate', () => {
    expect(send(sampled, { rate: 0 }).spans).toHaveLength(1)
    const not = { traceparent: `00-${traceId}-${caller}-00` }
    const { x, spans } = send(not, { rate: 1 })
    expect(spans).toEqual([])
    expect(x.headers.get('traceparent')).toMatch(/-00$/)
  })

  it.each([
    [0.4, false],
    [0.6, true],
  ])('is ours when the caller left it to us: rate %d', (rate, expected) => {
    for (const headers of [{}, { b3: `${traceId}-${caller}` }]) {
      const { x, spans } = send(headers, { rate })
      expect(x.trace?.sampled).toBe(expected)
      expect(spans).toHaveLength(expected ? 1 : 0)
    }
  })
})

describe('a span', () => {
  it('tells when, how long, what and where, and nothing of the query', () => {
    const { spans } = send(sampled, {
      act: (x, pass) => {
        attempt(x, '10.0.0.7:8080', 0)
        x.routeName = 'httproute/shop/catalog/0'
        pass(25)
        return replyOf(200)
      },
    })
    expect(spans[0]).toMatchObject({
      kind: 'client',
      name: 'GET catalog',
      startWallMs: 1_000_000,
      durationMs: 25,
      error: undefined,
      remoteAddress: '10.0.0.7:8080',
      remoteService: 'catalog.shop',
    })
    expect(tags(spans[0] as SpanRecord)).toMatchObject({
      'http.method': 'GET',
      'http.path': '/orders',
      'http.status_code': 200,
      'weft.cluster': 'catalog',
      'weft.route': 'httproute/shop/catalog/0',
      'weft.attempts': 1,
      'weft.peer': 'spiffe://cluster.local/ns/shop/sa/catalog',
    })
    expect(JSON.stringify(spans)).not.toContain('secret')
  })

  it('says when each phase of its time began', () => {
    const { spans } = send(sampled, {
      act: (x, pass) => {
        pass(3)
        const times = attempt(x, '10.0.0.7:8080', 3)
        Object.assign(times, { connectedMs: 4, securedMs: 9, sentMs: 9, repliedMs: 20 })
        pass(22)
        return replyOf(200)
      },
    })
    const events = spans[0]?.events.map(({ name, wallMs }) => [name, wallMs - 1_000_000])
    expect(events).toEqual([
      ['queue', 0],
      ['connect', 3],
      ['tls', 4],
      ['wait', 9],
      ['stream', 20],
    ])
  })

  it.each<[string, (x: Exchange) => Reply | undefined, string | undefined]>([
    ['the status of a server that failed', () => replyOf(503), '503'],
    ['the flag of a sidecar that gave up', (x) => ((x.flag = 'UT'), replyOf(504)), 'UT'],
    ['that there was no reply', () => undefined, 'no reply'],
    ['nothing when the client was at fault', () => replyOf(404), undefined],
  ])('has as its error %s', (_what, act, error) => {
    expect(send(sampled, { act }).spans[0]?.error).toBe(error)
  })
})

describe('attempts', () => {
  function retried(): Sent & { readonly sent: readonly string[] } {
    const sent: string[] = []
    const result = send(sampled, {
      act: (x, pass) => {
        const first = attempt(x, '10.0.0.7:8080', 0)
        sent.push(x.headers.get('traceparent') ?? '')
        pass(5)
        Object.assign(first, { sentMs: 0, repliedMs: 5, endedMs: 5, status: 503 })
        pass(10)
        x.retryReason = '5xx'
        const second = attempt(x, '10.0.0.8:8080', 15)
        sent.push(x.headers.get('traceparent') ?? '')
        pass(5)
        Object.assign(second, { sentMs: 15, repliedMs: 20, endedMs: 20, status: 200 })
        return replyOf(200)
      },
    })
    return { ...result, sent }
  }

  it('are a span each, inside of one for the whole, and what each causes is its child', () => {
    const { x, spans, sent } = retried()
    const [whole, first, second] = spans as [SpanRecord, SpanRecord, SpanRecord]
    expect(spans).toHaveLength(3)
    expect(whole).toMatchObject({ kind: 'internal', parentSpanId: caller, durationMs: 20, error: undefined })
    expect(tags(whole)).toMatchObject({ 'weft.retries': 1, 'http.status_code': 200 })
    expect([first.parentSpanId, second.parentSpanId]).toEqual([whole.spanId, whole.spanId])
    expect(first).toMatchObject({ kind: 'client', spanId: x.trace?.spanId, durationMs: 5, error: '503' })
    expect(second).toMatchObject({ kind: 'client', startWallMs: 1_000_015, durationMs: 5, error: undefined })
    expect(tags(second)).toMatchObject({ 'weft.attempt': 2, 'weft.retry_reason': '5xx' })
    expect(sent).toEqual([first, second].map(({ spanId }) => `00-${traceId}-${spanId}-01`))
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(3)
  })

  it('of one that was cut off end with the exchange, and say why', () => {
    const { spans } = send(sampled, {
      act: (x, pass) => {
        Object.assign(attempt(x, '10.0.0.7:8080', 0), { failure: 'connect', endedMs: 0 })
        attempt(x, '10.0.0.8:8080', 5)
        pass(9)
        x.flag = 'UT'
        return replyOf(504)
      },
    })
    expect(spans.map(({ error }) => error)).toEqual(['UT', 'connect', 'UT'])
    expect(spans.map(({ durationMs }) => durationMs)).toEqual([9, 9, 4])
  })
})
