/** HTTP/2 frames, written and taken apart without our codec: what fuzzing compares it with must not come from it. */
import { Buffer } from 'node:buffer'

export const clientPreface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export const flag = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const

export type Frame = {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

const headerBytes = 9
const maxFrameBytes = 16_384

export function frameBytes({ type, flags, stream, payload }: Frame): Buffer {
  const bytes = Buffer.alloc(headerBytes + payload.length)
  bytes.writeUIntBE(payload.length, 0, 3)
  bytes[3] = type
  bytes[4] = flags
  bytes.writeUInt32BE(stream, 5)
  payload.copy(bytes, headerBytes)
  return bytes
}

/** A header block as HEADERS and as many CONTINUATIONs as it needs. */
export function blockBytes(stream: number, flags: number, block: Buffer): Buffer {
  const frames: Buffer[] = []
  for (let from = 0; from === 0 || from < block.length; from += maxFrameBytes) {
    const last = from + maxFrameBytes >= block.length
    const type = from === 0 ? frameType.headers : frameType.continuation
    const own = (from === 0 ? flags : 0) | (last ? flag.endHeaders : 0)
    const payload = block.subarray(from, from + maxFrameBytes)
    frames.push(frameBytes({ type, flags: own, stream, payload }))
  }
  return Buffer.concat(frames)
}

export function settingsBytes(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(6 * settings.length)
  for (const [i, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, 6 * i)
    payload.writeUInt32BE(value, 6 * i + 2)
  }
  return frameBytes({ type: frameType.settings, flags: 0, stream: 0, payload })
}

export const settingsAck: Buffer = frameBytes({
  type: frameType.settings,
  flags: flag.ack,
  stream: 0,
  payload: Buffer.alloc(0),
})

/** What a client says first that asks for nothing unusual, with its answer to the server's settings. */
export const clientOpening: Buffer = Buffer.concat([clientPreface, settingsBytes([]), settingsAck])

/** Cuts what arrives into frames. */
export class FrameSplitter {
  #rest = Buffer.alloc(0)
  #preface: number

  /** `skip`: octets before the first frame. */
  constructor(skip = 0) {
    this.#preface = skip
  }

  /** The frames that are complete with `bytes`. */
  take(bytes: Buffer): readonly Frame[] {
    this.#rest = Buffer.concat([this.#rest, bytes])
    const frames: Frame[] = []
    let at = 0
    if (this.#preface > 0 && this.#rest.length >= this.#preface) {
      at = this.#preface
      this.#preface = 0
    }
    while (this.#preface === 0 && this.#rest.length - at >= headerBytes) {
      const end = at + headerBytes + this.#rest.readUIntBE(at, 3)
      if (end > this.#rest.length) break
      frames.push({
        type: this.#rest[at + 3] as number,
        flags: this.#rest[at + 4] as number,
        stream: this.#rest.readUInt32BE(at + 5) & 0x7fff_ffff,
        payload: this.#rest.subarray(at + headerBytes, end),
      })
      at = end
    }
    this.#rest = this.#rest.subarray(at)
    return frames
  }
}
