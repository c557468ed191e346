import { expect, it } from 'vitest'
import { HeaderList } from '../header-list.ts'
import { BegunTraces } from './begun-traces.ts'
import { bothFormsNames, extractTrace } from './trace-context.ts'

it('begins traces whose fields, in both forms, name their ids, no two alike', () => {
  const begun = new BegunTraces()
  const seen = new Set<string>()
  // More than one block of them.
  for (let i = 0; i < 200; i++) {
    const { traceId, spanId, parentSpanId, sampled, debug, lines } = begun.next()
    expect(traceId).toMatch(/^(?!0+$)[0-9a-f]{32}$/)
    expect(spanId).toMatch(/^(?!0+$)[0-9a-f]{16}$/)
    expect(lines).toBe(`traceparent: 00-${traceId}-${spanId}-00\r\nb3: ${traceId}-${spanId}-0\r\n`)
    const headers = HeaderList.of('Host', 'app')
    headers.appendLines(lines, bothFormsNames)
    expect(extractTrace(headers)).toEqual({ traceId, spanId, sampled: false, debug: false })
    expect({ parentSpanId, sampled, debug }).toEqual({
      parentSpanId: undefined,
      sampled: false,
      debug: false,
    })
    seen.add(traceId).add(spanId)
  }
  expect(seen.size).toBe(400)
})
