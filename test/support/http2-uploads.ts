/**
 * A client that keeps to its windows and hears of them when it likes, towards a server connection without a socket. What
 * is read of an upload, and when, is up to the test.
 */
import { Buffer } from 'node:buffer'
import { ManualClock } from '../../core/manual-clock.ts'
import type { Body } from '../../proxy/body.ts'
import { HpackForm } from '../../proxy/http2/hpack-form.ts'
import { Http2ServerConnection } from '../../proxy/http2/server-connection.ts'
import { downstream } from '../../proxy/test-exchange.ts'
import { FrameSplitter } from '../fuzz/http2-frames.ts'
import { quietOptions } from '../fuzz/quiet-connection.ts'
import { turn } from '../fuzz/weft-parser.ts'
import {
  data,
  flags,
  frame,
  headers,
  preface,
  request,
  settings,
  settingsAck,
  types,
  uint32,
} from './http2-frames.ts'
import { MemoryWire } from './memory-wire.ts'

const mostFrameBytes = 16_384
const content = Buffer.alloc(mostFrameBytes, 'x')
const initialWindowSize = 4

/** One request: what its client may send, and whether anybody reads it. */
type Upload = { window: number; body: Body | undefined; read: boolean }

export class WindowedUploads {
  readonly clock = new ManualClock()
  /** What it may send on all streams together. */
  window = 65_535
  readonly #uploads = new Map<number, Upload>()
  readonly #wire = new MemoryWire()
  readonly #connection: Http2ServerConnection
  readonly #splitter = new FrameSplitter()
  #initialWindow = 65_535
  #nextId = 1
  #readTo = 0

  /** `principal`: who the client has proven to be. */
  constructor(principal: string | undefined) {
    this.#connection = new Http2ServerConnection(this.#wire.wire, {
      ...quietOptions(),
      connect: undefined,
      form: new HpackForm(),
      handler: ({ body, target }) => {
        const upload = this.#of(Number(target.slice(1)))
        upload.body = body
        body.start({ write: () => upload.read, end: () => undefined, abort: () => undefined })
      },
      downstream: { ...downstream, principal },
      nowMs: this.clock.monotonicMs,
      onViolation: (error) => {
        throw error
      },
      onTunnel: () => undefined,
    })
    this.#wire.readInto(this.#connection.session)
    this.#deliver(preface, settings())
  }

  /** Whether the server goes on with the connection. */
  get open(): boolean {
    return this.#wire.state === 'open'
  }

  get ids(): readonly number[] {
    return [...this.#uploads.keys()]
  }

  /** Begins a request, and says its stream. */
  begin(read: boolean): number {
    const id = this.#nextId
    this.#nextId += 2
    this.#uploads.set(id, { window: this.#initialWindow, body: undefined, read })
    this.#deliver(headers(id, request('POST', `/${id}`), false))
    return id
  }

  /** What it may send on stream `id`. */
  windowOf(id: number): number {
    return this.#of(id).window
  }

  isRead(id: number): boolean {
    return this.#of(id).read
  }

  /** From now on what comes for it moves on, what has come to rest as well; or nothing does. */
  setRead(id: number, read: boolean): void {
    const upload = this.#of(id)
    upload.read = read
    if (read) upload.body?.resume()
  }

  /** Sends as much of `most` bytes as its windows allow, each frame with `padding`; returns how much that was of them. */
  send(id: number, most: number, padding = 0): number {
    const upload = this.#of(id)
    const extra = padding === 0 ? 0 : padding + 1
    let sent = 0
    while (sent < most) {
      const room = Math.min(this.window, upload.window, mostFrameBytes) - extra
      const bytes = Math.min(room, most - sent)
      if (bytes <= 0) break
      const piece = content.subarray(0, bytes)
      this.#deliver(padding === 0 ? data(id, piece, false) : padded(id, piece, padding))
      this.window -= bytes + extra
      upload.window -= bytes + extra
      sent += bytes
    }
    return sent
  }

  /** Says that there is no more of it. */
  end(id: number): void {
    this.#deliver(data(id, '', true))
  }

  /** Gives it up. */
  reset(id: number): void {
    this.#uploads.delete(id)
    this.#deliver(frame(types.reset, 0, id, uint32(8)))
  }

  /** Takes note of what the server has said, and answers it. */
  async hear(): Promise<void> {
    await turn()
    const written = Buffer.from(this.#wire.written.slice(this.#readTo), 'latin1')
    this.#readTo = this.#wire.written.length
    for (const { type, stream, flags: flag, payload } of this.#splitter.take(written)) {
      if (type === types.window) this.#open(stream, payload.readUInt32BE(0))
      else if (type === types.settings && flag === 0) this.#set(payload)
    }
  }

  destroy(): void {
    this.#connection.destroy()
  }

  #of(id: number): Upload {
    const upload = this.#uploads.get(id)
    if (upload === undefined) throw new Error(`stream ${id} is not open`)
    return upload
  }

  #open(id: number, by: number): void {
    const upload = this.#uploads.get(id)
    if (id === 0) this.window += by
    else if (upload !== undefined) upload.window += by
  }

  #set(payload: Buffer): void {
    for (let at = 0; at < payload.length; at += 6) {
      if (payload.readUInt16BE(at) !== initialWindowSize) continue
      const size = payload.readUInt32BE(at + 2)
      for (const upload of this.#uploads.values()) upload.window += size - this.#initialWindow
      this.#initialWindow = size
    }
    this.#deliver(settingsAck)
  }

  #deliver(...pieces: readonly Buffer[]): void {
    for (const piece of pieces) this.#wire.deliver(piece.latin1Slice())
  }
}

function padded(id: number, piece: Buffer, padding: number): Buffer {
  return frame(
    types.data,
    flags.padded,
    id,
    Buffer.concat([Buffer.from([padding]), piece, Buffer.alloc(padding)]),
  )
}
