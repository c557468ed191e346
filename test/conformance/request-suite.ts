/** What every row of the request matrix is tried with: whole, at every split point, and byte by byte. */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { RequestMatrix } from './request-matrix.ts'
import type { RequestRow } from './request-row.ts'

/** Up to here every byte of a request is tried as the first of a second piece. */
const shortBytes = 1000

/** All of them; of a long request those near its ends, and some between. */
function splitPoints(bytes: number): readonly number[] {
  const all = Array.from({ length: bytes - 1 }, (_, i) => i + 1)
  return bytes < shortBytes ? all : all.filter((at) => at < 50 || at > bytes - 50 || at % 4099 === 0)
}

/** Defines the tests of `rows`, which share one sidecar. */
export function testRows(rows: readonly RequestRow[]): void {
  const named = rows.map((row) => [row.name, row] as const)
  let matrix: RequestMatrix

  beforeAll(async () => {
    matrix = await RequestMatrix.start()
  })

  afterAll(() => matrix.stop())

  describe('a request as a whole', () => {
    test.each(named)('%s', (_, row) => matrix.check(row, [row.request]))
  })

  describe('a request split at every byte', () => {
    test.each(named)('%s', async (_, row) => {
      for (const at of splitPoints(row.request.length))
        await matrix.check(row, [row.request.slice(0, at), row.request.slice(at)])
    })
  })

  describe('a request byte by byte', () => {
    const short = named.filter(([, { request }]) => request.length < shortBytes)
    test.each(short)('%s', (_, row) => matrix.check(row, row.request.split('')))
  })
}
