/** Our HPACK against nghttp2's, both ways: the same verdict on arbitrary blocks, and blocks that are read as meant. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fuzz, tellHits } from './fuzz-run.ts'
import { blocks } from './hpack-blocks.ts'
import { type HpackDifference, hpackDifferences, compareBlocks } from './hpack-verdicts.ts'
import { type Turn, talkWithNode } from './nghttp2-client.ts'

test('blocks of any kind: the same verdict and fields as nghttp2, or a reason', async () => {
  const hits = new Map((Object.keys(hpackDifferences) as HpackDifference[]).map((name) => [name, 0]))
  const property = fc.asyncProperty(blocks, async (all) => {
    for (const name of await compareBlocks(all)) hits.set(name, (hits.get(name) ?? 0) + 1)
  })
  await fuzz('header blocks', property)
  tellHits(hits)
})

const name = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('x-a', 'x-b', 'x-trace-id', 'x-request-id', 'x-token') },
  { weight: 1, arbitrary: fc.stringMatching(/^x-[!#$%&'*+.^_`|~0-9a-z-]{1,12}$/) },
)
const value = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom('', 'a', 'b c', 'application/grpc', 'x'.repeat(300), 'y'.repeat(3000)),
  },
  { weight: 2, arbitrary: fc.stringMatching(/^[!-~]{1,40}$/) },
  { weight: 1, arbitrary: fc.stringMatching(/^[!-~\x80-\xff]{1,20}$/) },
)
/** Names once: Node joins what comes twice. */
const fields = fc
  .uniqueArray(fc.tuple(name, value), { maxLength: 8, selector: ([key]) => key })
  .map((pairs) => pairs.flat())
const tableBytes = fc.option(fc.constantFrom(0, 50, 200, 1000, 4096, 10_000), { freq: 4, nil: undefined })

const turn: fc.Arbitrary<Turn> = fc.record({
  path: fc.constantFrom('/', '/a', '/shop.Cart/Add', `/${'p'.repeat(200)}`),
  request: fields,
  secrets: fc.constantFrom([], [], ['x-token'], ['x-a', 'x-b']),
  reply: fields,
  ourTableBytes: tableBytes,
  nodeTableBytes: tableBytes,
})
/** Some turns come again, as real ones do: only then is there anything in the tables. */
const turns = fc
  .array(fc.tuple(turn, fc.constantFrom(1, 2, 4)), { minLength: 1, maxLength: 8 })
  .map((all) => all.flatMap(([one, times]) => Array.from({ length: times }, () => one)))

test('what Node sends we read, and what we send Node reads, with table sizes that change', async () => {
  const property = fc.asyncProperty(turns, async (all) => {
    for (const { read, turn: given } of await talkWithNode(all)) {
      expect(read.request).toEqual([...given.request])
      expect(read.path).toBe(given.path)
      for (const secret of given.secrets)
        if (given.request.some((key, i) => i % 2 === 0 && key === secret))
          expect(read.neverIndexed).toContain(secret)
      expect(read.reply).toEqual([...given.reply])
    }
  })
  await fuzz('header blocks, both ways', property)
})
