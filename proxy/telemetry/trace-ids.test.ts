import { expect, it } from 'vitest'
import { HeaderList } from '../header-list.ts'
import { bothFormsNames, extractTrace } from './trace-context.ts'
import { TraceIds } from './trace-ids.ts'

it('begins traces whose fields, in both forms, name their ids, no two alike', () => {
  const ids = new TraceIds()
  const seen = new Set<string>()
  // More than one block of them.
  for (let i = 0; i < 100; i++) {
    const { context, lines } = ids.begin()
    const { traceId, spanId } = context
    expect(traceId).toMatch(/^(?!0+$)[0-9a-f]{32}$/)
    expect(spanId).toMatch(/^(?!0+$)[0-9a-f]{16}$/)
    expect(lines).toBe(`traceparent: 00-${traceId}-${spanId}-00\r\nb3: ${traceId}-${spanId}-0\r\n`)
    const headers = HeaderList.of('Host', 'app')
    headers.appendLines(lines, bothFormsNames)
    expect(extractTrace(headers)).toEqual({ traceId, spanId, sampled: false, debug: false })
    expect(context).toEqual({ traceId, spanId, parentSpanId: undefined, sampled: false, debug: false })
    seen.add(traceId).add(spanId)
  }
  expect(seen.size).toBe(200)
})
