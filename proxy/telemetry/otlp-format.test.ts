import { expect, it } from 'vitest'
import { otlpFormat } from './otlp-format.ts'
import type { SpanRecord } from './span.ts'

const span: SpanRecord = {
  traceId: '463ac35c9f6413ad48485a3953bb6124',
  spanId: 'a2fb4a1d1a96d312',
  parentSpanId: '0020000000000001',
  debug: false,
  kind: 'client',
  name: 'GET catalog',
  startWallMs: 1_700_000_000_000.5,
  durationMs: 1.25,
  error: 'UF',
  remoteAddress: '[fd00::7]:80',
  remoteService: 'catalog.shop',
  events: [{ name: 'wait', wallMs: 1_700_000_000_000.75 }],
  attributes: ['http.method', 'GET', 'http.path', '/"x', 'http.status_code', 503, 'weft.route', 'r'],
}
const format = otlpFormat({ service: 'web.shop', namespace: 'shop', pod: 'web-1', version: '0.1.0' })

const text = (key: string, stringValue: string): object => ({ key, value: { stringValue } })

it('is what OTLP over HTTP takes, by the names of the semantic conventions', () => {
  expect(JSON.parse(`${format.open}${format.encode(span)}${format.close}`)).toEqual({
    resourceSpans: [
      {
        resource: {
          attributes: [
            text('service.name', 'web.shop'),
            text('k8s.namespace.name', 'shop'),
            text('k8s.pod.name', 'web-1'),
          ],
        },
        scopeSpans: [
          {
            scope: { name: 'weft', version: '0.1.0' },
            spans: [
              {
                traceId: span.traceId,
                spanId: span.spanId,
                parentSpanId: span.parentSpanId,
                kind: 3,
                name: 'GET catalog',
                startTimeUnixNano: '1700000000000500000',
                endTimeUnixNano: '1700000000001750000',
                attributes: [
                  text('http.request.method', 'GET'),
                  text('url.path', '/"x'),
                  { key: 'http.response.status_code', value: { intValue: '503' } },
                  text('weft.route', 'r'),
                  text('network.peer.address', 'fd00::7'),
                  { key: 'network.peer.port', value: { intValue: '80' } },
                  text('peer.service', 'catalog.shop'),
                ],
                events: [{ timeUnixNano: '1700000000000750000', name: 'wait' }],
                status: { code: 2, message: 'UF' },
              },
            ],
          },
        ],
      },
    ],
  })
})

it('says nothing of a parent or a failure where there is none', () => {
  const root = JSON.parse(format.encode({ ...span, parentSpanId: undefined, error: undefined })) as object
  expect(root).not.toHaveProperty('parentSpanId')
  expect(root).not.toHaveProperty('status')
})

it.each([
  ['', 0],
  ['{}', 0],
  ['not JSON', 0],
  ['{"partialSuccess":{"rejectedSpans":"3"}}', 3],
  ['{"partialSuccess":{"rejectedSpans":-1}}', 0],
])('the answer %s means that %i are not wanted', (answer, count) => {
  expect(format.rejected(answer)).toBe(count)
})
