import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import { FrameOutput } from './frame-output.ts'
import { frameHeaderBytes, maxDataBytes } from './frame-types.ts'

/** Sends `pieces` of one stream as content is sent: what the frame at hand does not take begins another one. */
function send(out: FrameOutput, id: number, ...pieces: readonly string[]): void {
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, 'latin1')
    const added = out.addToData(id, bytes, 0, bytes.length)
    if (added < bytes.length) out.data(id, bytes, added, bytes.length, false)
  }
}

/** Type, flags and stream of each frame, and its payload where that is short. */
function framesOf(out: FrameOutput): string[] {
  const written = Buffer.concat(out.buffer.take())
  const frames: string[] = []
  for (let at = 0; at < written.length; ) {
    const length = written.readUIntBE(at, 3)
    const from = at + frameHeaderBytes
    const text = length > 20 ? `${length} bytes` : written.latin1Slice(from, from + length)
    frames.push(`${written[at + 3]}/${written[at + 4]}/${written.readUInt32BE(at + 5)}: ${text}`)
    at = from + length
  }
  return frames
}

test('pieces of one stream that follow one another are one frame', () => {
  const out = new FrameOutput()
  send(out, 1, 'ab', 'c', 'def')
  expect(framesOf(out)).toEqual(['0/0/1: abcdef'])
})

test('a frame is full at the size of a TLS record, and the rest begins the next one', () => {
  const out = new FrameOutput()
  send(out, 1, 'x'.repeat(maxDataBytes - 1), 'yz')
  expect(framesOf(out)).toEqual([`0/0/1: ${maxDataBytes} bytes`, '0/0/1: z'])
})

test('no frame is added to behind another frame, another stream, or what has left', () => {
  const out = new FrameOutput()
  send(out, 1, 'a')
  out.windowUpdate(0, 1)
  send(out, 1, 'b')
  send(out, 3, 'c')
  send(out, 1, 'd')
  expect(framesOf(out).filter((frame) => frame.startsWith('0'))).toEqual([
    '0/0/1: a',
    '0/0/1: b',
    '0/0/3: c',
    '0/0/1: d',
  ])
  send(out, 1, 'e')
  expect(framesOf(out)).toEqual(['0/0/1: e'])
})

test('a frame that was added to can still be made the last of its stream', () => {
  const out = new FrameOutput()
  send(out, 1, 'a', 'b')
  out.endWithData(out.dataFlagsAt)
  expect(framesOf(out)).toEqual(['0/1/1: ab'])
})
