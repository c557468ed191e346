import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import { ChunkedDecoder } from './chunked-decoder.ts'

type Decoded = { readonly pieces: string[]; trailers: string | undefined }

function decode(text: string, sizes: readonly number[] = [text.length]): Decoded {
  const decoder = new ChunkedDecoder(400)
  const decoded: Decoded = { pieces: [], trailers: undefined }
  let from = 0
  for (const size of sizes) {
    const bytes = Buffer.from(text.slice(from, (from += size)), 'latin1')
    decoder.decode(bytes, 0, bytes.length, {
      onData: (buffer, start, end) => decoded.pieces.push(buffer.latin1Slice(start, end)),
      onFinish: (trailers) => {
        decoded.trailers = trailers.lines
      },
    })
  }
  return decoded
}

test('10,000 chunks of a byte that arrive together are one piece (CVE-2020-8659)', () => {
  const bytes = Array.from({ length: 10_000 }, (_, i) => String.fromCharCode(i % 256))
  const { pieces, trailers } = decode(`${bytes.map((byte) => `1\r\n${byte}\r\n`).join('')}0\r\n\r\n`)
  expect(pieces).toEqual([bytes.join('')])
  expect(trailers).toBe('')
})

test('chunks of any size keep their content, over every two splits', () => {
  const text = '1\r\na\r\n5\r\n\r\n0\r\n\r\n3;x=y\r\nabc\r\n0\r\nX-T: 1\r\n\r\n'
  for (let a = 0; a <= text.length; a++)
    for (let b = a; b <= text.length; b++) {
      const { pieces, trailers } = decode(text, [a, b - a, text.length - b])
      expect(pieces.join('')).toBe('a\r\n0\r\nabc')
      expect(pieces.length).toBeLessThanOrEqual(3)
      expect(trailers).toBe('X-T: 1\r\n')
    }
})

test('what lies before a malformed chunk in the same read is not handed on', () => {
  const pieces: string[] = []
  const bytes = Buffer.from('3\r\nabc\r\n3X\r\n')
  expect(() =>
    new ChunkedDecoder(400).decode(bytes, 0, bytes.length, {
      onData: (buffer, start, end) => pieces.push(buffer.latin1Slice(start, end)),
      onFinish: () => undefined,
    }),
  ).toThrow('malformed chunk size')
  expect(pieces).toEqual([])
})
