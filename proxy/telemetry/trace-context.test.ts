import { describe, expect, it } from 'vitest'
import { HeaderList } from '../header-list.ts'
import { extractTrace, injectTrace, type TraceFormat } from './trace-context.ts'

const trace = '463ac35c9f6413ad48485a3953bb6124'
const span = 'a2fb4a1d1a96d312'
const parent = '0020000000000001'

function extract(headers: Readonly<Record<string, string>>) {
  return extractTrace(HeaderList.of(...Object.entries(headers).flat()))
}

describe('a context is read', () => {
  it.each([
    ['traceparent, sampled', { traceparent: `00-${trace}-${span}-01` }, 'w3c', true],
    ['traceparent, not sampled', { traceparent: `00-${trace}-${span}-00` }, 'w3c', false],
    ['traceparent, with flags of the future', { traceparent: `00-${trace}-${span}-ff` }, 'w3c', true],
    ['b3, sampled', { b3: `${trace}-${span}-1` }, 'b3-single', true],
    ['b3, not sampled', { b3: `${trace}-${span}-0` }, 'b3-single', false],
    ['b3, debug', { b3: `${trace}-${span}-d` }, 'b3-single', true],
    ['b3, undecided', { b3: `${trace}-${span}` }, 'b3-single', undefined],
    ['b3 with a parent', { b3: `${trace}-${span}-1-${parent}` }, 'b3-single', true],
    [
      'X-B3-*, sampled',
      { 'X-B3-TraceId': trace, 'X-B3-SpanId': span, 'X-B3-Sampled': '1' },
      'b3-multi',
      true,
    ],
    [
      'X-B3-*, by the word',
      { 'X-B3-TraceId': trace, 'X-B3-SpanId': span, 'X-B3-Sampled': 'true' },
      'b3-multi',
      true,
    ],
    [
      'X-B3-*, not sampled',
      { 'X-B3-TraceId': trace, 'X-B3-SpanId': span, 'X-B3-Sampled': '0' },
      'b3-multi',
      false,
    ],
    ['X-B3-*, debug', { 'X-B3-TraceId': trace, 'X-B3-SpanId': span, 'X-B3-Flags': '1' }, 'b3-multi', true],
    ['X-B3-*, undecided', { 'X-B3-TraceId': trace, 'X-B3-SpanId': span }, 'b3-multi', undefined],
  ])('%s', (_what, headers, format, sampled) => {
    expect(extract(headers as Record<string, string>)).toEqual({
      format,
      traceId: trace,
      spanId: span,
      sampled,
    })
  })

  it('of 64 bits as one of 128', () => {
    const short = trace.slice(16)
    const long = short.padStart(32, '0')
    expect(extract({ b3: `${short}-${span}-1` })?.traceId).toBe(long)
    expect(extract({ 'X-B3-TraceId': short, 'X-B3-SpanId': span })?.traceId).toBe(long)
  })

  it('as W3C first, when several came', () => {
    const other = trace.replace('4', '5')
    const both = { b3: `${other}-${span}-1`, traceparent: `00-${trace}-${span}-01` }
    expect(extract(both)).toMatchObject({ format: 'w3c', traceId: trace })
    expect(extract({ ...both, traceparent: 'damaged' })).toMatchObject({
      format: 'b3-single',
      traceId: other,
    })
  })
})

it.each([
  ['nothing', {}],
  ['a trace id of zeroes', { traceparent: `00-${'0'.repeat(32)}-${span}-01` }],
  ['a span id of zeroes', { traceparent: `00-${trace}-${'0'.repeat(16)}-01` }],
  ['capitals in traceparent', { traceparent: `00-${trace.toUpperCase()}-${span}-01` }],
  ['a version that is forbidden', { traceparent: `ff-${trace}-${span}-01` }],
  ['more than there should be', { traceparent: `00-${trace}-${span}-01-more` }],
  ['too short an id', { b3: `${trace}-${span.slice(1)}-1` }],
  ['only a decision', { b3: '0' }],
  ['half of the headers', { 'X-B3-TraceId': trace }],
  ['no hex', { 'X-B3-TraceId': 'z'.repeat(32), 'X-B3-SpanId': span }],
])('%s is no context', (_what, headers) => {
  expect(extract(headers as Record<string, string>)).toBeUndefined()
})

describe('a context is written in the format that came', () => {
  const context = { traceId: trace, spanId: span, parentSpanId: parent, sampled: true }
  const traceparent = `00-${trace}-${span}-01`
  const b3 = `${trace}-${span}-1-${parent}`
  const multi = {
    'x-b3-traceid': trace,
    'x-b3-spanid': span,
    'x-b3-sampled': '1',
    'x-b3-parentspanid': parent,
  }

  function injected(
    format: TraceFormat,
    came: Readonly<Record<string, string>> = {},
  ): Record<string, string> {
    const headers = HeaderList.of('Host', 'app', ...Object.entries(came).flat())
    injectTrace(headers, context, format)
    const names = ['traceparent', 'b3', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-parentspanid', 'x-b3-sampled']
    return Object.fromEntries(
      names.flatMap((name) => (headers.get(name) === undefined ? [] : [[name, headers.get(name) as string]])),
    )
  }

  it.each<[TraceFormat, Record<string, string>, Record<string, string>]>([
    ['w3c', { traceparent: 'the old one' }, { traceparent }],
    ['b3-single', { b3: 'the old one' }, { b3 }],
    ['b3-multi', { 'X-B3-TraceId': trace, 'X-B3-SpanId': parent }, multi],
    ['none', {}, { traceparent, b3 }],
  ])('%s', (format, came, written) => {
    expect(injected(format, came)).toEqual(written)
  })

  it('and says that it is not sampled', () => {
    const headers = new HeaderList()
    injectTrace(headers, { ...context, sampled: false }, 'none')
    expect(headers.get('traceparent')).toMatch(/-00$/)
    expect(headers.get('b3')).toBe(`${trace}-${span}-0-${parent}`)
  })

  it('leaves the names of X-B3 headers as they are usually written', () => {
    const headers = HeaderList.of('Host', 'app')
    injectTrace(headers, context, 'b3-multi')
    expect(headers.lines).toContain('X-B3-TraceId: ')
  })
})
