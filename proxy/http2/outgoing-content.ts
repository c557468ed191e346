/** Content that goes out as DATA, as far as windows and wire let it; what they do not is held, and its source waits. */
import { Buffer } from 'node:buffer'
import type { Body, BodySink } from '../body.ts'
import type { HeaderList } from '../header-list.ts'
import { maxDataBytes } from './frame-types.ts'
import { HeldContent } from './held-content.ts'
import { maxStreamWindowBytes } from './limits.ts'
import type { Http2Stream } from './stream.ts'

const noBytes = Buffer.alloc(0)
/** With half of what had to wait still to be sent more is asked for, or with at least so much: it comes while that leaves. */
const leastLeftBytes = 64 * 1024
const mostLeftBytes = maxStreamWindowBytes / 2

export class OutgoingContent implements BodySink {
  readonly #stream: Http2Stream
  readonly #body: Body | undefined
  #held: HeldContent | undefined
  /** With how much left more is asked for. */
  #resumeAtBytes = leastLeftBytes
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
    return this.heldBytes > 0
  }

  get heldBytes(): number {
    return this.#held?.bytes ?? 0
  }

  write(piece: Buffer): boolean {
    const stream = this.#stream
    const { length } = piece
    if (stream.over || length === 0) return true
    stream.sentBytes += length
    const from = this.stalled ? 0 : this.#send(piece, 0, length)
    if (from < length) {
      this.#held ??= new HeldContent()
      this.#held.add(piece, from)
      this.#resumeAtBytes = Math.min(mostLeftBytes, Math.max(this.#resumeAtBytes, this.#held.bytes / 2))
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

  /** There is room again: sends one slab of what is held, or asks for more. */
  pump(): void {
    const held = this.#held
    if (held === undefined || held.bytes === 0) {
      this.#body?.resume()
      return
    }
    this.#sendHeld(held)
    const { session } = this.#stream
    if (held.bytes > 0) {
      session.block(this.#stream)
      if (held.bytes <= this.#resumeAtBytes) {
        this.#resumeAtBytes = leastLeftBytes
        this.#body?.resume()
      }
    } else if (this.#endingWith !== undefined) this.#end(this.#endingWith)
    else if (session.hasRoom) this.#body?.resume()
    else session.block(this.#stream)
  }

  /** Nobody wants it any more. */
  drop(): void {
    this.#held?.drop()
  }

  #sendHeld(held: HeldContent): void {
    const { start } = held
    const sent = this.#send(held.chunk, start, held.end)
    if (sent > start) held.take(sent - start)
  }

  /** Sends what the windows and the wire have room for; returns where it stopped. */
  #send(bytes: Buffer, from: number, to: number): number {
    const stream = this.#stream
    const { session } = stream
    let at = from
    while (at < to && session.hasRoom) {
      const count = session.mostToSend(Math.min(to - at, stream.sendWindowBytes, maxDataBytes))
      if (count <= 0) break
      stream.sendWindowBytes -= count
      const { out } = session
      const added = out.addToData(stream.id, bytes, at, at + count)
      if (added < count) out.data(stream.id, bytes, at + added, at + count, false)
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
