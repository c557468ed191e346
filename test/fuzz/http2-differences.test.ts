/** The lists of differences on HTTP/2 are what they say: each example differs, and its own entry alone explains it. */
import { Buffer } from 'node:buffer'
import { describe, expect, test } from 'vitest'
import { frameDifferences } from './frame-differences.ts'
import { compareFrames } from './frames-verdicts.ts'
import { compareBlocks, hpackDifferences } from './hpack-verdicts.ts'

describe('frames on which Node and we differ', () => {
  test.each(frameDifferences.map((entry) => [entry.name, entry] as const))(
    '%s',
    async (name, { example }) => {
      expect((await compareFrames(example)).map((entry) => entry.name)).toEqual([name])
    },
  )
})

describe('a header block on which nghttp2 and we differ', () => {
  test.each(Object.entries(hpackDifferences))('%s', async (name, { example }) => {
    expect(await compareBlocks([Buffer.from(example, 'hex')])).toEqual([name])
  })
})
