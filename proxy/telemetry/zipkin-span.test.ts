import { expect, it } from 'vitest'
import type { SpanRecord } from './span.ts'
import { zipkinSpan } from './zipkin-span.ts'

const span: SpanRecord = {
  traceId: '463ac35c9f6413ad48485a3953bb6124',
  spanId: 'a2fb4a1d1a96d312',
  parentSpanId: '0020000000000001',
  kind: 'server',
  name: 'GET catalog:8080',
  startWallMs: 1_700_000_000_000.5,
  durationMs: 1.2345,
  error: undefined,
  remoteAddress: '10.0.0.7:4711',
  attributes: { 'http.method': 'GET', 'http.status_code': 200 },
}

it('has every field of the API, times in whole microseconds, and tags as text', () => {
  expect(zipkinSpan(span, 'catalog.shop')).toEqual({
    traceId: span.traceId,
    id: span.spanId,
    parentId: span.parentSpanId,
    kind: 'SERVER',
    name: 'GET catalog:8080',
    timestamp: 1_700_000_000_000_500,
    duration: 1235,
    localEndpoint: { serviceName: 'catalog.shop' },
    remoteEndpoint: { ipv4: '10.0.0.7', port: 4711 },
    tags: { 'http.method': 'GET', 'http.status_code': '200' },
  })
})

it('names neither a parent nor a remote endpoint that is not known', () => {
  const root = zipkinSpan({ ...span, kind: 'client', parentSpanId: undefined, remoteAddress: '' }, 'web.shop')
  expect(root.kind).toBe('CLIENT')
  expect(root).not.toHaveProperty('parentId')
  expect(root).not.toHaveProperty('remoteEndpoint')
})

it('tells an IPv6 endpoint, a failure, and a duration too short to measure', () => {
  const odd = zipkinSpan({ ...span, remoteAddress: '[fd00::7]:80', error: 'UF', durationMs: 0 }, 'web.shop')
  expect(odd.remoteEndpoint).toEqual({ ipv6: 'fd00::7', port: 80 })
  expect(odd.tags['error']).toBe('UF')
  expect(odd.duration).toBe(1)
})
