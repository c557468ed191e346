/** Our codecs against Node's parser, on messages to which something has happened. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareRequests, compareResponses } from './differential.ts'
import type { Difference } from './difference.ts'
import { requestDifferences } from './request-differences.ts'
import { responseDifferences } from './response-differences.ts'
import { fuzz } from './fuzz-run.ts'
import { requestBytes, responseBytes } from './message-bytes.ts'
import { cut, cuts } from './pieces.ts'

/** With so many cases every entry of the list has been hit many times, if it still can be. */
const manyCases = 300_000

/** Counts how often each entry explains something. */
class Hits {
  readonly #counts: Map<Difference, number>

  constructor(differences: readonly Difference[]) {
    this.#counts = new Map(differences.map((entry) => [entry, 0]))
  }

  add(by: readonly Difference[]): void {
    for (const entry of by) this.#counts.set(entry, (this.#counts.get(entry) ?? 0) + 1)
  }

  report(cases: number): void {
    for (const [{ name }, count] of this.#counts)
      process.stdout.write(`${String(count).padStart(8)} ${name}\n`)
    if (cases < manyCases) return
    const stale = [...this.#counts].filter(([, count]) => count === 0).map(([{ name }]) => name)
    expect(stale, 'no case needs these entries any more').toEqual([])
  }
}

test('requests: the same verdict, messages and framing as Node, or a reason', async () => {
  const hits = new Hits(requestDifferences)
  const property = fc.asyncProperty(requestBytes, cuts, async (bytes, places) => {
    hits.add(await compareRequests(cut(bytes, places)))
  })
  hits.report(await fuzz('requests', property))
})

const asked = fc.record({
  method: fc.constantFrom('GET', 'GET', 'HEAD'),
  upgrade: fc.constantFrom(undefined, undefined, 'websocket'),
})

test('responses: the same verdict, messages and framing as Node, or a reason', async () => {
  const hits = new Hits(responseDifferences)
  const property = fc.asyncProperty(responseBytes, cuts, asked, async (bytes, places, request) => {
    hits.add(await compareResponses(cut(bytes, places), request))
  })
  hits.report(await fuzz('responses', property))
})
