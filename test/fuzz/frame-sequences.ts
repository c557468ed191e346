/** Arbitrary frame sequences of a client: conversations that keep the rules, and what happens to them. */
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { flag, type Frame, frameType } from './http2-frames.ts'

/** Which stream a frame is for: the next new one, one of those before, counted back, or just this one. */
type Target = { readonly new: true } | { readonly back: number } | { readonly id: number }

type Step = (next: number) => { readonly frames: readonly Frame[]; readonly next: number }

const target: fc.Arbitrary<Target> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ new: true } as const) },
  { weight: 8, arbitrary: fc.record({ back: fc.nat({ max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ id: fc.constantFrom(0, 2, 1, 101, 0x7fff_ffff) }) },
)

function idOf(where: Target, next: number): number {
  if ('new' in where) return next
  return 'id' in where ? where.id : Math.max(1, next - 2 - 2 * where.back)
}

/** Steps that open a stream move on. */
function at(where: Target, next: number, frames: (id: number) => readonly Frame[]): ReturnType<Step> {
  const id = idOf(where, next)
  return { frames: frames(id), next: Math.max(next, id % 2 === 1 && id < 100 ? id + 2 : next) }
}

const literal = (name: string, value: string): Buffer =>
  Buffer.concat([
    Buffer.of(0, name.length),
    Buffer.from(name, 'latin1'),
    Buffer.of(value.length),
    Buffer.from(value, 'latin1'),
  ])
const get = Buffer.from('828684410161', 'hex')
const post = Buffer.from('838684410161', 'hex')

/** Header blocks that need no table. */
const requestBlock = fc.oneof(
  { weight: 4, arbitrary: fc.constant(get) },
  { weight: 4, arbitrary: fc.constant(post) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...['0', '3', '5'].map((n) => Buffer.concat([post, literal('content-length', n)])),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      Buffer.concat([get, literal('te', 'trailers'), literal('x-a', 'b')]),
      Buffer.concat([get, literal('x-b', 'c'.repeat(100))]),
      // Without :method, :path, :scheme; with :status; a pseudo-header behind a field; connection; upper case.
      get.subarray(1),
      Buffer.concat([get.subarray(0, 2), get.subarray(3)]),
      Buffer.concat([get.subarray(0, 1), get.subarray(2)]),
      Buffer.concat([get, Buffer.of(0x88)]),
      Buffer.concat([get.subarray(0, 3), literal('x-a', 'b'), get.subarray(3)]),
      Buffer.concat([get, literal('connection', 'close')]),
      Buffer.concat([get, literal('X-A', 'b')]),
      Buffer.concat([get, literal('te', 'gzip')]),
      Buffer.concat([get, literal('content-length', '+3')]),
      Buffer.concat([get, Buffer.of(0x84)]),
      Buffer.concat([get.subarray(0, 2), literal(':path', 'x'), get.subarray(3)]),
    ),
  },
  // No HPACK.
  {
    weight: 1,
    arbitrary: fc.constantFrom(Buffer.of(0x80), Buffer.of(0xbe), Buffer.of(0x40, 0x7f), Buffer.of()),
  },
)
const trailerBlock = fc.constantFrom(
  literal('x-t', 'u'),
  literal('x-t', ''),
  Buffer.of(),
  literal('connection', 'x'),
  get,
)

/** Pads, and puts priority before: what HEADERS and DATA may carry around what they are about. */
type Wrapping = {
  readonly pad: number | undefined
  /** The padding is not there. */
  readonly lies: boolean
  readonly priority: number | undefined
}

const wrapping: fc.Arbitrary<Wrapping> = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ pad: undefined, lies: false, priority: undefined }) },
  {
    weight: 2,
    arbitrary: fc.record({
      pad: fc.constantFrom(undefined, 0, 1, 30, 255),
      lies: fc.constantFrom(false, false, false, true),
      priority: fc.constantFrom(undefined, 0, 1, 3, 5),
    }),
  },
)

function wrapped(
  payload: Buffer,
  { pad, lies, priority }: Wrapping,
): { readonly flags: number; readonly payload: Buffer } {
  const before: Buffer[] = []
  if (pad !== undefined) before.push(Buffer.of(pad))
  if (priority !== undefined) before.push(Buffer.of(0, 0, 0, priority, 16))
  const flags = (pad === undefined ? 0 : flag.padded) | (priority === undefined ? 0 : flag.priority)
  return { flags, payload: Buffer.concat([...before, payload, Buffer.alloc(lies ? 0 : (pad ?? 0))]) }
}

const often = (weight: number): fc.Arbitrary<boolean> =>
  fc.oneof({ weight, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) })

const headers: fc.Arbitrary<Step> = fc
  .record({
    where: target,
    block: fc.oneof({ weight: 3, arbitrary: requestBlock }, { weight: 1, arbitrary: trailerBlock }),
    ends: fc.boolean(),
    whole: often(8),
    continues: often(6),
    wrapping,
  })
  .map(
    ({ where, block, ends, whole, continues, wrapping: around }) =>
      (next) =>
        at(where, next, (stream) => {
          const cut = whole ? block.length : block.length >> 1
          const first = wrapped(block.subarray(0, cut), around)
          const flags = first.flags | (ends ? flag.endStream : 0) | (whole ? flag.endHeaders : 0)
          const start = { type: frameType.headers, flags, stream, payload: first.payload }
          if (whole || !continues) return [start]
          return [
            start,
            { type: frameType.continuation, flags: flag.endHeaders, stream, payload: block.subarray(cut) },
          ]
        }),
  )

const data: fc.Arbitrary<Step> = fc
  .record({ where: target, bytes: fc.constantFrom(0, 1, 2, 3, 5, 100), ends: fc.boolean(), wrapping })
  .map(
    ({ where, bytes, ends, wrapping: around }) =>
      (next) =>
        at(where, next, (stream) => {
          const { flags, payload } = wrapped(Buffer.alloc(bytes, 'd'), { ...around, priority: undefined })
          return [{ type: frameType.data, flags: flags | (ends ? flag.endStream : 0), stream, payload }]
        }),
  )

/** A request with a body in pieces, perhaps with trailers: as it should be. */
const request: fc.Arbitrary<Step> = fc
  .record({ pieces: fc.array(fc.nat({ max: 50 }), { maxLength: 3 }), trailers: fc.boolean() })
  .map(({ pieces, trailers }) => (next) => {
    const stream = next
    const frames: Frame[] = [
      { type: frameType.headers, flags: flag.endHeaders, stream, payload: post },
      ...pieces.map((bytes) => ({
        type: frameType.data,
        flags: 0,
        stream,
        payload: Buffer.alloc(bytes, 'p'),
      })),
      trailers
        ? {
            type: frameType.headers,
            flags: flag.endHeaders | flag.endStream,
            stream,
            payload: literal('x-t', 'u'),
          }
        : { type: frameType.data, flags: flag.endStream, stream, payload: Buffer.alloc(0) },
    ]
    return { frames, next: next + 2 }
  })

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const wrongLength = fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, -1, 1)

/** `payload`, or one octet more or less. */
function sized(payload: Buffer, by: number): Buffer {
  return by < 0 ? payload.subarray(0, by) : Buffer.concat([payload, Buffer.alloc(by)])
}

const small: fc.Arbitrary<Step> = fc
  .record({
    where: target,
    by: wrongLength,
    kind: fc.oneof(
      fc.constantFrom(0, 5, 8, 0xff).map((code) => ({ type: frameType.reset, payload: uint32(code) })),
      fc
        .constantFrom(0, 1, 1000, 0x7fff_0000, 0x7fff_ffff, 0x8000_0000)
        .map((increment) => ({ type: frameType.windowUpdate, payload: uint32(increment) })),
      fc
        .constantFrom(0, 1, 3)
        .map((on) => ({ type: frameType.priority, payload: Buffer.of(0, 0, 0, on, 16) })),
    ),
  })
  .map(({ where, by, kind: { type, payload } }) => (next) => {
    // None of these opens a stream.
    const stream = 'new' in where ? next : idOf(where, next)
    return { frames: [{ type, flags: 0, stream, payload: sized(payload, by) }], next }
  })

const pairOf = ([id, value]: readonly [number, number]): Buffer => {
  const bytes = Buffer.alloc(6)
  bytes.writeUInt16BE(id, 0)
  bytes.writeUInt32BE(value, 2)
  return bytes
}
const settings = fc
  .array(
    fc.constantFrom<[number, number]>(
      [1, 0],
      [1, 4096],
      [1, 0xffff_ffff],
      [2, 0],
      [2, 1],
      [2, 2],
      [3, 0],
      [3, 100],
      [4, 0],
      [4, 65_535],
      [4, 0x7fff_ffff],
      [4, 0x8000_0000],
      [5, 16_384],
      [5, 16_383],
      [5, 0xff_ffff],
      [5, 0x100_0000],
      [6, 1],
      [8, 0],
      [8, 1],
      [8, 2],
      [9, 0],
      [9, 1],
      [99, 1],
    ),
    { maxLength: 3 },
  )
  .map((all) => Buffer.concat(all.map(pairOf)))

const session: fc.Arbitrary<Step> = fc
  .record({
    stream: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
    by: wrongLength,
    kind: fc.oneof(
      settings.map((payload) => ({ type: frameType.settings, flags: 0, payload })),
      fc
        .constantFrom(0, flag.ack)
        .map((flags) => ({ type: frameType.ping, flags, payload: Buffer.alloc(8, 'i') })),
      fc.constant({ type: frameType.goaway, flags: 0, payload: Buffer.alloc(8) }),
      fc
        .constantFrom(1, 1000, 0x7fff_ffff)
        .map((n) => ({ type: frameType.windowUpdate, flags: 0, payload: uint32(n) })),
      fc.constant({ type: frameType.settings, flags: flag.ack, payload: Buffer.alloc(0) }),
      fc.constantFrom(10, 11, 200).map((type) => ({ type, flags: 0xff, payload: Buffer.alloc(5) })),
      fc.constant({
        type: frameType.pushPromise,
        flags: flag.endHeaders,
        payload: Buffer.concat([uint32(2), get]),
      }),
      fc.constant({ type: frameType.continuation, flags: flag.endHeaders, payload: get }),
    ),
  })
  .map(({ stream, by, kind: { type, flags, payload } }) => (next) => ({
    frames: [{ type, flags, stream, payload: payload.length === 0 && by < 0 ? payload : sized(payload, by) }],
    next,
  }))

const tooLong: fc.Arbitrary<Step> = fc
  .constantFrom(frameType.data, frameType.headers, frameType.settings, 99)
  .map((type) => (next) => ({ frames: [{ type, flags: 0, stream: 1, payload: Buffer.alloc(16_385) }], next }))

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: request },
  { weight: 6, arbitrary: headers },
  { weight: 5, arbitrary: data },
  { weight: 3, arbitrary: small },
  { weight: 2, arbitrary: session },
  { weight: 1, arbitrary: fc.oneof({ weight: 9, arbitrary: request }, { weight: 1, arbitrary: tooLong }) },
)

/** What a client sends behind its preface and its first SETTINGS. */
export const frameSequences: fc.Arbitrary<readonly Frame[]> = fc
  .array(step, { minLength: 1, maxLength: 8 })
  .map((steps) => {
    const frames: Frame[] = []
    let next = 1
    for (const take of steps) {
      const made = take(next)
      frames.push(...made.frames)
      next = made.next
    }
    return frames
  })
