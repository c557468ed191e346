import { describe, expect, it } from 'vitest'
import { framed, HeaderFields } from '../header-fields.ts'
import { HeaderList, maskOf } from '../header-list.ts'
import { continueTrace } from './continued-trace.ts'
import { extractTrace, injectTrace } from './trace-context.ts'

const traceId = '463ac35c9f6413ad48485a3953bb6124'
const caller = 'a2fb4a1d1a96d312'
const spanId = '00f067aa0ba902b7'
const w3c = `00-${traceId}-${caller}-01`

/** As HTTP/1 has them, and as HTTP/2. */
const carriers: Record<string, (fields: readonly string[]) => HeaderList> = {
  lines: (fields) => HeaderList.of(...fields),
  fields: (fields) => {
    const names = fields.filter((_, i) => i % 2 === 0)
    const mask = maskOf(names)
    return new HeaderFields({ fields, mask, authority: 'catalog', neverIndexed: [] }, framed)
  },
}

const continued: readonly (readonly [string, readonly string[]])[] = [
  ['a traceparent', ['accept', '*/*', 'traceparent', w3c, 'x-a', 'b']],
  ['one that is not sampled', ['traceparent', w3c.replace(/01$/, '00')]],
  ['its state', ['traceparent', w3c, 'tracestate', 'a=b']],
  ['a b3 of the same trace', ['traceparent', w3c, 'b3', `${traceId}-${caller}-1`, 'x-a', 'b']],
  ['one with a parent', ['traceparent', w3c, 'b3', `${traceId}-${caller}-1-05e3ac9a4f6e3b90`]],
]
const left: readonly (readonly [string, readonly string[]])[] = [
  ['no context', ['accept', '*/*']],
  ['a traceparent that is none', ['traceparent', w3c.replace('a2', 'zz')]],
  ['one that goes on', ['traceparent', `${w3c}-0`]],
  ['two', ['traceparent', w3c, 'traceparent', w3c]],
  ['a b3 alone', ['b3', `${traceId}-${caller}-1`]],
  ['a b3 of another trace', ['traceparent', w3c, 'b3', `${traceId.replace('4', '5')}-${caller}-1`]],
  ['two b3', ['traceparent', w3c, 'b3', `${traceId}-${caller}-1`, 'b3', `${traceId}-${caller}-1`]],
  ['B3 in several fields', ['traceparent', w3c, 'x-b3-traceid', traceId, 'x-b3-spanid', caller]],
]

describe.each(Object.entries(carriers))('in %s', (_what, carry) => {
  it.each(continued)('%s goes on as the general way would have it', (_name, fields) => {
    const [quick, general] = [carry(fields), carry(fields)]
    const context = continueTrace(quick, spanId)
    const extracted = extractTrace(general)
    const sampled = extracted?.sampled === true
    injectTrace(general, { traceId, spanId, parentSpanId: caller, sampled, debug: false })
    expect(quick.entries()).toEqual(general.entries())
    expect(quick.get('traceparent')).toContain(spanId)
    const { debug, parentSpanId } = context ?? {}
    expect([context?.traceId, context?.spanId, parentSpanId, context?.sampled, debug]).toEqual([
      traceId,
      spanId,
      caller,
      sampled,
      false,
    ])
  })

  it.each(left)('%s is left to the general way, untouched', (_name, fields) => {
    const headers = carry(fields)
    const before = headers.entries()
    expect(continueTrace(headers, spanId)).toBeUndefined()
    expect(headers.entries()).toEqual(before)
  })
})

it('fields that came are not changed for others that share them', () => {
  const fields = ['traceparent', w3c] as const
  const shared = carriers['fields']?.(fields) as HeaderFields
  continueTrace(shared, spanId)
  expect(fields[1]).toBe(w3c)
})

it('a context that was added to fields that came is left to the general way', () => {
  const headers = carriers['fields']?.(['traceparent', w3c]) as HeaderFields
  headers.append('b3', `${traceId}-${caller}-1`)
  expect(continueTrace(headers, spanId)).toBeUndefined()
})
