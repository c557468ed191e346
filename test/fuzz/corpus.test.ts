/** What fuzzing found once is tried by every run: as it was, and in every two pieces. */
import { expect, test } from 'vitest'
import { corpus, type CorpusCase } from './corpus.ts'
import { compareRequests, compareResponses } from './differential.ts'
import type { Outcome } from './outcome.ts'
import { weftRequests, weftResponses } from './weft-parser.ts'

const asked = { method: 'GET', upgrade: undefined }

function read({ kind }: CorpusCase, pieces: readonly string[]): Promise<Outcome> {
  return kind === 'request' ? weftRequests(pieces) : weftResponses(pieces, asked)
}

test.each(corpus.map((entry) => [entry.name, entry] as const))('%s', async (_, entry) => {
  const { messages, end, reason } = await read(entry, entry.pieces)
  const complete = messages.filter(({ start }) => start !== '103').length
  expect({ messages: complete, end, reason }).toEqual({
    messages: entry.messages,
    end: entry.end,
    reason: entry.reason,
  })
  const bytes = entry.pieces.join('')
  for (let at = 0; at < bytes.length; at++) {
    const pieces = [bytes.slice(0, at), bytes.slice(at)].filter((piece) => piece !== '')
    // Throws where a split changes something, or Node differs without a reason.
    if (entry.kind === 'request') await compareRequests(pieces)
    else await compareResponses(pieces, asked)
  }
})
