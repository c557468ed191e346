import { expect, it } from 'vitest'
import { TraceIds } from './trace-ids.ts'

it('makes ids that differ, and none of zeroes', () => {
  const ids = new TraceIds()
  const seen = new Set<string>()
  for (let i = 0; i < 1_000; i++) {
    const [trace, span] = [ids.traceId(), ids.spanId()]
    expect(trace).toMatch(/^(?!0+$)[0-9a-f]{32}$/)
    expect(span).toMatch(/^(?!0+$)[0-9a-f]{16}$/)
    seen.add(trace).add(span)
  }
  expect(seen.size).toBe(2_000)
})
