import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import { maxHeadBytes } from './limits.ts'
import { LineBlock } from './line-block.ts'

/** Takes `pieces` until the block is there; gives its text and what is left of the last piece. */
function collect(pieces: readonly string[]): { readonly block: string; readonly rest: string } | undefined {
  const lines = new LineBlock(400, 431)
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, 'latin1')
    const after = lines.take(bytes, 0, bytes.length)
    if (after === -1) continue
    const block = lines.release().latin1Slice()
    expect(lines.length).toBe(0)
    return { block, rest: piece.slice(after) }
  }
  return undefined
}

test.each([
  ['lines and an empty one', 'a: b\r\nc\r\n\r\n'],
  ['an empty line at once', '\r\n'],
])('%s are found at every split, and what follows is left', (_, text) => {
  for (let at = 0; at <= text.length; at++)
    expect(collect([text.slice(0, at), `${text.slice(at)}rest\r\n\r\n`])).toEqual(
      at === text.length ? { block: text, rest: '' } : { block: text, rest: 'rest\r\n\r\n' },
    )
})

test('without an empty line there is no block yet', () => {
  expect(collect(['a: b\r\n', 'c: d\r\n\r'])).toBeUndefined()
})

test.each(['a\nb', '\n', 'a\r\n\n', 'a\rb', 'a\r\r\n', '\ra', 'a\r\n\rb'])(
  '%j is refused as soon as it is seen, at every split',
  (text) => {
    for (let at = 0; at <= text.length; at++)
      expect(() => collect([text.slice(0, at), text.slice(at)])).toThrow(/^bare (?:CR|LF)$/)
  },
)

test('60 KiB pass, and a byte more does not, whether the end is there or not', () => {
  const line = 'a'.repeat(maxHeadBytes - 4)
  expect(collect([`${line}\r\n\r\n`])?.block).toHaveLength(maxHeadBytes)
  expect(() => collect([`a${line}\r\n\r\n`])).toThrow('too long')
  expect(() => collect([line, 'aaaaa'])).toThrow('too long')
  expect(() => collect([`${line}aaaaa`])).toThrow('too long')
})
