/** Our codecs against Node's parser, on messages to which something has happened. */
import fc from 'fast-check'
import { test } from 'vitest'
import { compareRequests, compareResponses } from './differential.ts'
import type { Difference } from './difference.ts'
import { requestDifferences } from './request-differences.ts'
import { responseDifferences } from './response-differences.ts'
import { fuzz, tellHits } from './fuzz-run.ts'
import { requestBytes, responseBytes } from './message-bytes.ts'
import { cut, cuts } from './pieces.ts'

function hitsOf(differences: readonly Difference[]) {
  const counts = new Map(differences.map(({ name }) => [name, 0]))
  const add = (by: readonly Difference[]): void => {
    for (const { name } of by) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return { counts, add }
}

test('requests: the same verdict, messages and framing as Node, or a reason', async () => {
  const hits = hitsOf(requestDifferences)
  const property = fc.asyncProperty(requestBytes, cuts, async (bytes, places) => {
    hits.add(await compareRequests(cut(bytes, places)))
  })
  await fuzz('requests', property)
  tellHits(hits.counts)
})

const asked = fc.record({
  method: fc.constantFrom('GET', 'GET', 'HEAD'),
  upgrade: fc.constantFrom(undefined, undefined, 'websocket'),
})

test('responses: the same verdict, messages and framing as Node, or a reason', async () => {
  const hits = hitsOf(responseDifferences)
  const property = fc.asyncProperty(responseBytes, cuts, asked, async (bytes, places, request) => {
    hits.add(await compareResponses(cut(bytes, places), request))
  })
  await fuzz('responses', property)
  tellHits(hits.counts)
})
