/** A stream as one side of a tunnel (RFC 9113 8.5, RFC 8441 5): bytes both ways, each with an end of its own. */
import type { Buffer } from 'node:buffer'
import { Body, type BodySink, type BodySource, chunked } from '../body.ts'
import type { WireReader } from '../listen/wire.ts'
import type { SpliceSide } from '../tcp/splice.ts'
import { errorCode } from './frame-types.ts'
import type { Http2Stream } from './stream.ts'

export class StreamPipe implements SpliceSide, BodySource {
  readonly #stream: Http2Stream
  /** What the peer sends; held until somebody reads it. */
  readonly #received: Body
  readonly #sent: Body
  /** What the peer is told of a connection that broke. */
  readonly #brokenCode: number
  #reader: WireReader | undefined
  /** Whoever reads has no room. */
  #paused = false
  /** The peer has no room. */
  #full = false
  /** The peer reads no more. */
  #deaf = false
  ended = false
  closed = false

  constructor(stream: Http2Stream, received: Body, brokenCode: number) {
    this.#stream = stream
    this.#received = received
    this.#brokenCode = brokenCode
    this.#sent = new Body(chunked, this)
  }

  /** From here on the stream carries bytes: its head has to be written before. */
  readInto(reader: WireReader): void {
    this.#reader = reader
    this.#stream.sendBody(this.#sent)
    this.#received.start(this.#sink)
  }

  writeBytes(bytes: Buffer): boolean {
    if (this.#deaf) this.gone()
    if (this.closed) return true
    this.#sent.push(bytes)
    return !this.#full
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#received.resume()
  }

  /** Ends what the peer is sent; it may go on to send. */
  end(): void {
    if (this.#deaf) this.gone()
    else this.#sent.finish()
  }

  /** The connection behind it is gone. */
  reset(): void {
    this.#close(this.#brokenCode)
  }

  destroy(): void {
    this.#close(errorCode.cancel)
  }

  /** For the stream: it is over. */
  gone(): void {
    if (this.closed) return
    this.closed = true
    this.#reader?.onClose(undefined)
  }

  /** For the stream, of a peer that has said all and wants no more, which is no error: what it has said is to arrive. */
  deafen(): void {
    this.#deaf = true
  }

  pauseBody(): void {
    this.#full = true
  }

  resumeBody(): void {
    this.#full = false
    this.#reader?.onDrain()
  }

  readonly #sink: BodySink = {
    write: (piece) => {
      this.#reader?.onBytes(piece, 0, piece.length)
      return !this.#paused
    },
    end: () => {
      this.ended = true
      this.#reader?.onEnd()
    },
    // The stream says so itself.
    abort: () => undefined,
  }

  #close(code: number): void {
    this.#stream.reset(code)
    this.gone()
  }
}
