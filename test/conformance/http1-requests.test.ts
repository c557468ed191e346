/** The request matrix through a real sidecar on real sockets: framing and hops. Row 58 is in http1-deadlines.test.ts. */
import { expect, test } from 'vitest'
import { requestFramingRows } from './request-framing-rows.ts'
import { requestGrammarRows } from './request-grammar-rows.ts'
import { requestHopRows } from './request-hop-rows.ts'
import { testRows } from './request-suite.ts'

test('every row of 1 to 57 is there', () => {
  const rows = [...requestFramingRows, ...requestGrammarRows, ...requestHopRows]
  const numbers = new Set(rows.map(({ name }) => Number.parseInt(name, 10)))
  expect([...numbers].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 57 }, (_, i) => i + 1))
})

testRows([...requestFramingRows, ...requestHopRows])
