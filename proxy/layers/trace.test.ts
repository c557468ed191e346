import { describe, expect, it } from 'vitest'
import { Body } from '../body.ts'
import { type Exchange, type Receiver, Reply } from '../exchange.ts'
import { HeaderList } from '../header-list.ts'
import type { SpanRecord } from '../telemetry/span.ts'
import { TraceIds } from '../telemetry/trace-ids.ts'
import { testExchange } from '../test-exchange.ts'
import { trace } from './trace.ts'

const traceId = '463ac35c9f6413ad48485a3953bb6124'
const caller = 'a2fb4a1d1a96d312'

/** Sends an exchange through the layer; `act` is what happens to it further down. */
function send(
  headers: Readonly<Record<string, string>>,
  options: { readonly rate?: number; readonly act?: (x: Exchange) => Reply | undefined } = {},
): { readonly x: Exchange; readonly spans: readonly SpanRecord[] } {
  const spans: SpanRecord[] = []
  const time = { nowMs: 0, wallMs: 1_000_000 }
  const layer = trace({
    ids: new TraceIds(),
    sampling: { rate: options.rate ?? 0 },
    random: () => 0.5,
    nowMs: () => time.nowMs,
    wallMs: () => time.wallMs,
    reporter: { report: (span) => void spans.push(span), close: () => Promise.resolve() },
  })
  const x = testExchange({ target: '/orders?secret=1', headers })
  const receiver: Receiver = { onReply: () => undefined, onFailure: () => undefined }
  layer(() => undefined)(x, receiver)
  time.nowMs += 25
  time.wallMs += 25
  x.done(options.act === undefined ? replyOf(200) : options.act(x), 0)
  return { x, spans }
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
      act: (x) => {
        x.clusterName = 'catalog'
        x.upstreamAddress = '10.0.0.7:8080'
        x.upstreamPrincipal = 'spiffe://cluster.local/ns/shop/sa/catalog'
        x.attempts = 2
        return replyOf(200)
      },
    })
    expect(spans[0]).toMatchObject({
      kind: 'client',
      startWallMs: 1_000_000,
      durationMs: 25,
      error: undefined,
      remoteAddress: '10.0.0.7:8080',
      attributes: {
        'http.method': 'GET',
        'http.path': '/orders',
        'http.status_code': 200,
        'weft.cluster': 'catalog',
        'weft.attempts': 2,
        'weft.peer': 'spiffe://cluster.local/ns/shop/sa/catalog',
      },
    })
    expect(JSON.stringify(spans)).not.toContain('secret')
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
