/** Where we and node:http2 differ on purpose about a client's frames. */
import { Buffer } from 'node:buffer'
import { flag, type Frame, frameType } from './http2-frames.ts'

export type FrameDifference = {
  readonly name: string
  readonly reason: string
  /** Frames on which the two differ by this. */
  readonly example: readonly Frame[]
  /** Both go on, and no longer with the same streams: what comes later is not compared. */
  readonly parts?: true
  readonly applies: (compared: Compared) => boolean
}

/** Where the two part: the first frame by which the one ends the connection, or resets a stream, and the other does not. */
export type Compared = {
  readonly frame: Frame
  readonly before: readonly Frame[]
  readonly ours: 'refuses' | 'resets' | 'goes on'
  readonly node: 'refuses' | 'resets' | 'goes on'
  /** Ours, when we refuse. */
  readonly text: string
}

const noPriorities = 9

function settingIds({ type, payload }: Frame): readonly number[] {
  if (type !== frameType.settings) return []
  return Array.from({ length: Math.floor(payload.length / 6) }, (_, i) => payload.readUInt16BE(6 * i))
}

function hasTwice(frame: Frame): boolean {
  const ids = settingIds(frame)
  return new Set(ids).size < ids.length
}

const weRefuse =
  (...texts: readonly string[]) =>
  ({ ours, text }: Compared): boolean =>
    ours === 'refuses' && texts.includes(text)

const noBytes = Buffer.alloc(0)
const get = Buffer.from('828684410161', 'hex')
const post = Buffer.from('838684410161', 'hex')

function frame(type: number, stream: number, flags = 0): Frame {
  return { type, stream, flags, payload: noBytes }
}

function request(stream: number, payload: Buffer): Frame {
  return { ...frame(frameType.headers, stream, flag.endHeaders), payload }
}

function complete(stream: number): Frame {
  return { ...request(stream, get), flags: flag.endHeaders | flag.endStream }
}

function windowUpdate(stream: number, by: number): Frame {
  const payload = Buffer.alloc(4)
  payload.writeUInt32BE(by)
  return { ...frame(frameType.windowUpdate, stream), payload }
}

export const frameDifferences: readonly FrameDifference[] = [
  {
    name: 'a stream error that Node ends the connection for',
    reason: 'RFC 9113 5.4: either may be done; ours leaves the other streams alone',
    example: [request(1, post), windowUpdate(1, 0x7fff_ffff)],
    applies: ({ ours, node }) => ours === 'resets' && node === 'refuses',
  },
  {
    name: 'HEADERS for a stream that is over',
    reason: 'RFC 9113 5.1: STREAM_CLOSED; nghttp2 ignores them',
    example: [complete(1), complete(1)],
    applies: weRefuse('HEADERS for a stream that is over'),
  },
  {
    name: 'HEADERS for a stream with a lower id',
    reason: 'RFC 9113 5.1.1: PROTOCOL_ERROR; nghttp2 ignores them',
    example: [complete(3), complete(1)],
    applies: weRefuse('HEADERS for a stream that was passed over'),
  },
  {
    name: 'a PRIORITY frame that is none',
    reason: 'RFC 9113 6.3 and RFC 7540 5.3.1 call it an error; nghttp2 looks at no PRIORITY any more',
    example: [{ ...frame(frameType.priority, 0), payload: Buffer.of(0, 0, 0, 0, 16) }],
    applies: weRefuse('a stream depends on itself', 'PRIORITY for no stream', 'PRIORITY has a wrong length'),
  },
  {
    name: 'trailers that make a stream depend on itself',
    reason: 'RFC 7540 5.3.1: an error of that stream; nghttp2 looks only at what opens a stream',
    example: [
      request(1, post),
      {
        ...frame(frameType.headers, 1, flag.endStream | flag.endHeaders | flag.priority),
        payload: Buffer.of(0, 0, 0, 1, 16),
      },
    ],
    parts: true,
    applies: ({ ours, node, frame: { type, flags, stream, payload } }) =>
      ours === 'resets' &&
      node === 'goes on' &&
      type === frameType.headers &&
      (flags & flag.priority) !== 0 &&
      payload.readUInt32BE((flags & flag.padded) === 0 ? 0 : 1) === stream,
  },
  {
    name: 'DATA for a stream that is over',
    reason: 'RFC 9113 6.1: STREAM_CLOSED for that stream; nghttp2 ignores it',
    example: [complete(1), frame(frameType.data, 1)],
    applies: ({ ours, node, frame }) =>
      ours === 'resets' && node === 'goes on' && frame.type === frameType.data,
  },
  {
    name: 'more padding than frame, for a stream that is over',
    reason: 'RFC 9113 6.1: PROTOCOL_ERROR; nghttp2 does not look into frames that it ignores',
    example: [complete(1), { ...frame(frameType.data, 1, flag.padded), payload: Buffer.of(9, 0) }],
    applies: (compared) => weRefuse('more padding than frame')(compared) && compared.node === 'goes on',
  },
  {
    name: 'the answer to a PING that was not sent',
    reason: 'nothing forbids it, and RFC 9113 5.5 would rather have it ignored; Node ends the connection',
    example: [{ ...frame(frameType.ping, 0, flag.ack), payload: Buffer.alloc(8) }],
    applies: ({ ours, node, frame }) =>
      ours === 'goes on' &&
      node === 'refuses' &&
      frame.type === frameType.ping &&
      (frame.flags & flag.ack) !== 0,
  },
  {
    name: 'a setting that its own frame takes back',
    reason: 'RFC 9113 6.5.3: each is dealt with in its order; nghttp2 looks at the last one only',
    example: [{ ...frame(frameType.settings, 0), payload: Buffer.from('000200000002000200000000', 'hex') }],
    applies: ({ ours, node, frame }) => ours === 'refuses' && node === 'goes on' && hasTwice(frame),
  },
  {
    name: 'NO_RFC7540_PRIORITIES that comes later',
    reason: 'RFC 9218 2.1: a change may be an error, and means nothing to who has no priorities',
    example: [{ ...frame(frameType.settings, 0), payload: Buffer.from('000900000001', 'hex') }],
    applies: ({ ours, node, frame }) =>
      ours === 'goes on' && node === 'refuses' && settingIds(frame).includes(noPriorities),
  },
  {
    name: 'anything behind a GOAWAY of the client',
    reason:
      'RFC 9113 6.8: it says which streams of ours it takes, and may open its own; Node ends the connection',
    example: [{ ...frame(frameType.goaway, 0), payload: Buffer.alloc(8) }, request(1, Buffer.of(0x80))],
    applies: ({ before }) => before.some(({ type, stream }) => type === frameType.goaway && stream === 0),
  },
]
