/** Our server connection against node:http2's, on frame sequences to which something has happened. */
import fc from 'fast-check'
import { test } from 'vitest'
import { frameDifferences } from './frame-differences.ts'
import { frameSequences } from './frame-sequences.ts'
import { compareFrames } from './frames-verdicts.ts'
import { fuzz, tellHits } from './fuzz-run.ts'

test('frames: the same verdict and requests as node:http2, or a reason', async () => {
  const hits = new Map(frameDifferences.map(({ name }) => [name, 0]))
  const property = fc.asyncProperty(frameSequences, async (frames) => {
    for (const { name } of await compareFrames(frames)) hits.set(name, (hits.get(name) ?? 0) + 1)
  })
  // Each case is two sessions, so that there are fewer of them in the same time.
  await fuzz('frame sequences', property, 2)
  tellHits(hits)
})
