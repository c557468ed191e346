import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import { Body, type BodySink, type BodySource, chunked } from './body.ts'

function read(body: Body): readonly string[] {
  const pieces: string[] = []
  body.start({
    write: (piece) => {
      pieces.push(piece.latin1Slice(0, piece.length))
      return true
    },
    end: () => pieces.push('end'),
    abort: (error) => pieces.push(error.message),
  })
  return pieces
}

test('what comes byte by byte while nobody reads is kept in few pieces, in order', () => {
  const body = new Body(chunked, undefined)
  const bytes = Array.from({ length: 10_000 }, (_, i) => String.fromCharCode(i % 256))
  for (const byte of bytes) body.push(Buffer.from(byte, 'latin1'))
  body.finish()
  const pieces = read(body)
  expect(pieces.length).toBeLessThan(100)
  expect(pieces.join('')).toBe(`${bytes.join('')}end`)
})

test('what is kept for a replay is kept in few pieces, and sent again', () => {
  const body = new Body(chunked, undefined)
  body.keepForReplay()
  const first = read(body)
  const bytes = 'abcdefghij'.repeat(100)
  for (const byte of bytes) body.push(Buffer.from(byte))
  body.stop()
  expect(first.join('')).toBe(bytes)
  const second = read(body)
  body.finish()
  expect(second.length).toBeLessThan(100)
  expect(second.join('')).toBe(`${bytes}end`)
})

test.each([false, true])(
  'what waits for its reader stays when the source reads on (kept for a replay: %s)',
  (replay) => {
    const body = new Body(chunked, undefined)
    if (replay) body.keepForReplay()
    const reused = Buffer.alloc(20_000)
    body.push(reused.fill('a'))
    body.push(reused.fill('b'))
    const whole = `${'a'.repeat(20_000)}${'b'.repeat(20_000)}`
    expect(read(body).join('')).toBe(whole)
    if (replay) expect(read(body).join('')).toBe(whole)
  },
)

/** A source that counts how often it is told to go on. */
class Source implements BodySource {
  readonly pausesBeyondEnd: boolean
  resumed = 0

  constructor(pausesBeyondEnd: boolean) {
    this.pausesBeyondEnd = pausesBeyondEnd
  }

  pauseBody(): void {}

  resumeBody(): void {
    this.resumed++
  }
}

const fullSink: BodySink = { write: () => false, end: () => undefined, abort: () => undefined }

test.each([
  ['at once, where it would stay on the connection', false, 1],
  ['once what came before has moved on, where it is of this body alone', true, 0],
] as const)('a pause that stands when the end comes is over %s', (_, beyondEnd, atOnce) => {
  const source = new Source(beyondEnd)
  const body = new Body(chunked, source)
  body.start(fullSink)
  body.push(Buffer.from('content'))
  body.finish()
  expect(source.resumed).toBe(atOnce)
  body.resume()
  expect(source.resumed).toBe(1)
})

test('a pause because nobody was there to read is over when a reader has taken all', () => {
  const source = new Source(true)
  const body = new Body(chunked, source)
  body.push(Buffer.alloc(100_000))
  body.finish()
  expect(source.resumed).toBe(0)
  read(body)
  expect(source.resumed).toBe(1)
})
