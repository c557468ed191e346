/** Content that goes out as DATA, as far as windows and wire let it; what they do not is held, and its source waits. */
import { Buffer } from 'node:buffer'
import type { Body, BodySink } from '../body.ts'
import type { HeaderList } from '../header-list.ts'
import { giveBack, lendCopy } from '../slabs.ts'
import { maxFrameBytes } from './frame-types.ts'
import type { Http2Stream } from './stream.ts'

const noBytes = Buffer.alloc(0)

export class OutgoingContent implements BodySink {
  readonly #stream: Http2Stream
  readonly #body: Body | undefined
  #held: Buffer[] = []
  /** How much of the first piece has gone. */
  #heldFrom = 0
  heldBytes = 0
  /** The end waits behind what is held. */
  #endingWith: HeaderList | undefined
  /** Where the flags of the last DATA frame are, and until when they can be changed. */
  #flagsAt = 0
  #epoch = -1

  /** Without a body: what is sent is all there. */
  constructor(stream: Http2Stream, body: Body | undefined) {
    this.#stream = stream
    this.#body = body
  }

  /** Waits for the peer, or for the wire. */
  get stalled(): boolean {
    return this.#held.length > 0
  }

  write(piece: Buffer): boolean {
    const stream = this.#stream
    const { length } = piece
    if (stream.over || length === 0) return true
    stream.sentBytes += length
    const from = this.stalled ? 0 : this.#send(piece, 0, length)
    if (from < length) {
      this.heldBytes += length - from
      this.#held.push(lendCopy(piece.subarray(from)))
    } else if (stream.session.hasRoom) {
      return true
    }
    stream.session.block(stream)
    return false
  }

  end(trailers: HeaderList): void {
    const stream = this.#stream
    if (stream.over || stream.localEnded) return
    if (this.stalled) this.#endingWith = trailers
    else this.#end(trailers)
  }

  abort(error: Error): void {
    if (!this.#stream.over) this.#stream.onAborted(error)
  }

  /** There is room again: sends one frame of what is held, or asks for more. */
  pump(): void {
    const piece = this.#held[0]
    if (piece === undefined) {
      this.#body?.resume()
      return
    }
    this.#sendHeld(piece)
    const { session } = this.#stream
    if (this.stalled) session.block(this.#stream)
    else if (this.#endingWith !== undefined) this.#end(this.#endingWith)
    else if (session.hasRoom) this.#body?.resume()
    else session.block(this.#stream)
  }

  /** Nobody wants it any more. */
  drop(): void {
    for (const piece of this.#held) giveBack(piece)
    this.#held = []
  }

  #sendHeld(piece: Buffer): void {
    const from = this.#heldFrom
    const sent = this.#send(piece, from, Math.min(piece.length, from + maxFrameBytes))
    this.heldBytes -= sent - from
    this.#heldFrom = sent
    if (sent < piece.length) return
    this.#held.shift()
    giveBack(piece)
    this.#heldFrom = 0
  }

  /** Sends what the windows and the wire have room for; returns where it stopped. */
  #send(bytes: Buffer, from: number, to: number): number {
    const stream = this.#stream
    const { session } = stream
    let at = from
    while (at < to && session.hasRoom) {
      const count = session.mostToSend(Math.min(to - at, stream.sendWindowBytes, maxFrameBytes))
      if (count <= 0) break
      stream.sendWindowBytes -= count
      const { out } = session
      out.data(stream.id, bytes, at, at + count, false)
      this.#flagsAt = out.dataFlagsAt
      this.#epoch = out.buffer.epoch
      at += count
      session.wrote()
    }
    return at
  }

  #end(trailers: HeaderList): void {
    const stream = this.#stream
    const { out } = stream.session
    if (stream.sendsTrailers && trailers.lines !== '')
      stream.session.form.writeTrailers(out, stream.id, trailers)
    else if (this.#epoch === out.buffer.epoch) out.endWithData(this.#flagsAt)
    else out.data(stream.id, noBytes, 0, 0, true)
    stream.endLocal()
  }
}
