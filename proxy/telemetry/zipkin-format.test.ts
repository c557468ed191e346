import { expect, it } from 'vitest'
import type { SpanRecord } from './span.ts'
import { zipkinFormat, type ZipkinSpan } from './zipkin-format.ts'

const span: SpanRecord = {
  traceId: '463ac35c9f6413ad48485a3953bb6124',
  spanId: 'a2fb4a1d1a96d312',
  parentSpanId: '0020000000000001',
  debug: false,
  kind: 'server',
  name: 'GET catalog:8080',
  startWallMs: 1_700_000_000_000.5,
  durationMs: 1.2345,
  error: undefined,
  remoteAddress: '10.0.0.7:4711',
  remoteService: 'web.shop',
  events: [
    { name: 'wait', wallMs: 1_700_000_000_000.75 },
    { name: 'stream', wallMs: 1_700_000_000_001.5 },
  ],
  attributes: ['http.method', 'GET', 'http.status_code', 200],
}

function encoded(...spans: readonly SpanRecord[]): readonly ZipkinSpan[] {
  const { encode, open, close } = zipkinFormat('catalog.shop')
  return JSON.parse(`${open}${spans.map(encode).join(',')}${close}`) as readonly ZipkinSpan[]
}

it('has every field of the API, times in whole microseconds, and tags as text', () => {
  expect(encoded(span)).toEqual([
    {
      traceId: span.traceId,
      id: span.spanId,
      parentId: span.parentSpanId,
      kind: 'SERVER',
      name: 'GET catalog:8080',
      timestamp: 1_700_000_000_000_500,
      duration: 1235,
      localEndpoint: { serviceName: 'catalog.shop' },
      remoteEndpoint: { serviceName: 'web.shop', ipv4: '10.0.0.7', port: 4711 },
      annotations: [
        { timestamp: 1_700_000_000_000_750, value: 'wait' },
        { timestamp: 1_700_000_000_001_500, value: 'stream' },
      ],
      tags: { 'http.method': 'GET', 'http.status_code': '200' },
    },
  ])
})

it('names neither a parent, a kind nor a remote endpoint that is not known', () => {
  const bare = { parentSpanId: undefined, kind: 'internal', remoteAddress: '', remoteService: '' } as const
  const [root] = encoded({ ...span, ...bare })
  for (const name of ['parentId', 'kind', 'remoteEndpoint', 'debug']) expect(root).not.toHaveProperty(name)
})

it('tells an IPv6 endpoint, a failure, a debug trace, and a duration too short to measure', () => {
  const [odd] = encoded({
    ...span,
    kind: 'client',
    debug: true,
    remoteAddress: '[fd00::7]:80',
    remoteService: '',
    error: 'UF',
    durationMs: 0,
    attributes: [],
  })
  expect(odd).toMatchObject({ kind: 'CLIENT', debug: true, duration: 1, tags: { error: 'UF' } })
  expect(odd?.remoteEndpoint).toEqual({ ipv6: 'fd00::7', port: 80 })
})

it('stays JSON whatever a client wrote', () => {
  const path = '/"\\\u0000\r\n\u00e9</script>'
  const [one, two] = encoded({ ...span, name: path, attributes: ['http.path', path] }, span)
  expect(one).toMatchObject({ name: path, tags: { 'http.path': path } })
  expect(two?.tags).toEqual({ 'http.method': 'GET', 'http.status_code': '200' })
})
