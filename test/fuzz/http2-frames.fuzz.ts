/** Our server connection against node:http2's, on frame sequences to which something has happened. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { frameDifferences } from './frame-differences.ts'
import { frameSequences } from './frame-sequences.ts'
import { compareFrames } from './frames-verdicts.ts'
import { fuzz } from './fuzz-run.ts'

/** With so many cases every entry of the list has been hit, if it still can be. */
const manyCases = 20_000

test('frames: the same verdict and requests as node:http2, or a reason', async () => {
  const hits = new Map(frameDifferences.map(({ name }) => [name, 0]))
  const property = fc.asyncProperty(frameSequences, async (frames) => {
    for (const { name } of await compareFrames(frames)) hits.set(name, (hits.get(name) ?? 0) + 1)
  })
  // Each case is two sessions, so that there are fewer of them in the same time.
  const cases = await fuzz('frame sequences', property, 2)
  for (const [name, count] of hits) process.stdout.write(`${String(count).padStart(8)} ${name}\n`)
  const stale = [...hits].filter(([, count]) => count === 0).map(([name]) => name)
  if (cases >= manyCases) expect(stale, 'no case needs these entries any more').toEqual([])
})
