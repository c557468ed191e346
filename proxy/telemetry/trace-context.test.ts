import { describe, expect, it } from 'vitest'
import { HeaderList } from '../header-list.ts'
import { extractTrace, injectTrace } from './trace-context.ts'

const trace = '463ac35c9f6413ad48485a3953bb6124'
const span = 'a2fb4a1d1a96d312'
const parent = '0020000000000001'

function extract(headers: Readonly<Record<string, string>>) {
  return extractTrace(HeaderList.of(...Object.entries(headers).flat()))
}

describe('a context is read', () => {
  it.each([
    ['traceparent, sampled', { traceparent: `00-${trace}-${span}-01` }, true],
    ['traceparent, not sampled', { traceparent: `00-${trace}-${span}-00` }, false],
    ['traceparent, with flags of the future', { traceparent: `00-${trace}-${span}-ff` }, true],
    ['traceparent, of a later version', { traceparent: `cc-${trace}-${span}-01` }, true],
    ['traceparent, of a later version that says more', { traceparent: `cc-${trace}-${span}-00-more` }, false],
    ['b3, sampled', { b3: `${trace}-${span}-1` }, true],
    ['b3, not sampled', { b3: `${trace}-${span}-0` }, false],
    ['b3, debug', { b3: `${trace}-${span}-d` }, true],
    ['b3, undecided', { b3: `${trace}-${span}` }, undefined],
    ['b3 with a parent', { b3: `${trace}-${span}-1-${parent}` }, true],
    ['X-B3-*, sampled', { 'X-B3-TraceId': trace, 'X-B3-SpanId': span, 'X-B3-Sampled': '1' }, true],
    ['X-B3-*, by the word', { 'X-B3-TraceId': trace, 'X-B3-SpanId': span, 'X-B3-Sampled': 'true' }, true],
    ['X-B3-*, not sampled', { 'X-B3-TraceId': trace, 'X-B3-SpanId': span, 'X-B3-Sampled': '0' }, false],
    ['X-B3-*, debug', { 'X-B3-TraceId': trace, 'X-B3-SpanId': span, 'X-B3-Flags': '1' }, true],
    ['X-B3-*, undecided', { 'X-B3-TraceId': trace, 'X-B3-SpanId': span }, undefined],
  ])('%s', (_what, headers, sampled) => {
    expect(extract(headers as Record<string, string>)).toEqual({
      traceId: trace,
      spanId: span,
      sampled,
      debug: _what.includes('debug'),
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
    expect(extract(both)).toMatchObject({ traceId: trace })
    expect(extract({ ...both, traceparent: 'damaged' })).toMatchObject({ traceId: other })
  })
})

it.each([
  ['nothing', {}],
  ['a trace id of zeroes', { traceparent: `00-${'0'.repeat(32)}-${span}-01` }],
  ['a span id of zeroes', { traceparent: `00-${trace}-${'0'.repeat(16)}-01` }],
  ['capitals in traceparent', { traceparent: `00-${trace.toUpperCase()}-${span}-01` }],
  ['a version that is forbidden', { traceparent: `ff-${trace}-${span}-01` }],
  ['a later version that is glued to more', { traceparent: `cc-${trace}-${span}-01.more` }],
  ['more than there should be', { traceparent: `00-${trace}-${span}-01-more` }],
  ['too short an id', { b3: `${trace}-${span.slice(1)}-1` }],
  ['half of the headers', { 'X-B3-TraceId': trace }],
  ['no hex', { 'X-B3-TraceId': 'z'.repeat(32), 'X-B3-SpanId': span }],
])('%s is no context', (_what, headers) => {
  expect(extract(headers as Record<string, string>)).toBeUndefined()
})

it.each([
  ['not to sample', { b3: '0' }, false, false],
  ['to sample', { b3: '1' }, true, false],
  ['to debug', { b3: 'd' }, true, true],
  ['not to sample, in several headers', { 'X-B3-Sampled': '0' }, false, false],
  ['to sample, in several headers', { 'X-B3-Sampled': '1' }, true, false],
  ['to debug, in several headers', { 'X-B3-Flags': '1' }, true, true],
])('a decision %s may come alone', (_what, headers, sampled, debug) => {
  const none = { traceId: undefined, spanId: undefined }
  expect(extract(headers as Record<string, string>)).toEqual({ ...none, sampled, debug })
})

describe('a context is written in each form that came', () => {
  const context = { traceId: trace, spanId: span, parentSpanId: parent, sampled: true, debug: false }
  const traceparent = `00-${trace}-${span}-01`
  const b3 = `${trace}-${span}-1-${parent}`
  const multi = {
    'X-B3-TraceId': trace,
    'X-B3-SpanId': span,
    'X-B3-Sampled': '1',
    'X-B3-ParentSpanId': parent,
  }

  function injected(came: Readonly<Record<string, string>>, written = context): readonly string[] {
    const headers = HeaderList.of('Host', 'app', ...Object.entries(came).flat())
    injectTrace(headers, written)
    return headers.entries().slice(2)
  }

  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['w3c', { traceparent: `00-${trace}-${parent}-01` }, { traceparent }],
    ['b3', { b3: `${trace}-${parent}-1` }, { b3 }],
    ['X-B3-*', { 'X-B3-TraceId': trace, 'X-B3-SpanId': parent }, multi],
    ['none', {}, { traceparent, b3 }],
    [
      'w3c and b3',
      { traceparent: `00-${trace}-${parent}-01`, b3: `${trace}-${parent}-1` },
      { traceparent, b3 },
    ],
    [
      'all',
      { traceparent: `00-${trace}-${parent}-01`, b3: '0', 'X-B3-Sampled': '0' },
      { traceparent, b3, ...multi },
    ],
    ['an unreadable one, in its place', { traceparent: 'garbage' }, { traceparent }],
    ['an unreadable b3, in its place', { b3: 'garbage' }, { b3 }],
  ])('%s', (_what, came, written) => {
    const lines = (list: readonly string[]) =>
      HeaderList.of(...list)
        .lines.split('\r\n')
        .toSorted()
    expect(lines(injected(came))).toEqual(lines(Object.entries(written).flat()))
  })

  it('with the state of its own trace and of no other', () => {
    const same = { traceparent: `00-${trace}-${parent}-01`, tracestate: 'vendor=1' }
    expect(injected(same)).toContain('tracestate')
    expect(injected({ ...same, traceparent: 'garbage' })).not.toContain('tracestate')
  })

  it('without the parent of another trace', () => {
    const headers = HeaderList.of('X-B3-TraceId', 'garbage', 'X-B3-ParentSpanId', parent)
    injectTrace(headers, { ...context, parentSpanId: undefined })
    expect(headers.get('x-b3-parentspanid')).toBeUndefined()
  })

  it('and says that it is to be debugged, where that can be said', () => {
    const written = injected({}, { ...context, debug: true })
    expect(written).toContain(traceparent)
    expect(written).toContain(`${trace}-${span}-d-${parent}`)
  })

  it('and says that it is not sampled', () => {
    const written = injected({}, { ...context, sampled: false })
    expect(written).toContain(`00-${trace}-${span}-00`)
    expect(written).toContain(`${trace}-${span}-0-${parent}`)
  })
})
