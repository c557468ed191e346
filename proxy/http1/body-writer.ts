/** Writes a body to a wire: as it is, or in chunks; tells the body when to go on. */
import type { Buffer } from 'node:buffer'
import type { Body, BodySink } from '../body.ts'
import type { HeaderList } from '../header-list.ts'
import type { Wire } from '../listen/wire.ts'

/** Below this, one string write beats three buffers. */
const smallPieceBytes = 4096

export class BodyWriter implements BodySink {
  readonly #wire: Wire
  readonly #body: Body
  readonly #chunked: boolean
  readonly #forwardTrailers: boolean
  readonly #onEnd: () => void
  readonly #onAbort: (error: Error) => void
  /** Content bytes written. */
  sentBytes = 0

  constructor(
    wire: Wire,
    body: Body,
    options: {
      readonly chunked: boolean
      readonly forwardTrailers: boolean
      readonly onEnd: () => void
      readonly onAbort: (error: Error) => void
    },
  ) {
    this.#wire = wire
    this.#body = body
    this.#chunked = options.chunked
    this.#forwardTrailers = options.forwardTrailers
    this.#onEnd = options.onEnd
    this.#onAbort = options.onAbort
  }

  start(): void {
    this.#body.start(this)
  }

  /** The wire has room again. */
  onDrain(): void {
    this.#body.resume()
  }

  write(piece: Buffer): boolean {
    this.sentBytes += piece.length
    if (!this.#chunked) return this.#wire.writeBytes(piece)
    const size = piece.length.toString(16)
    if (piece.length <= smallPieceBytes) {
      return this.#wire.writeText(`${size}\r\n${piece.latin1Slice(0, piece.length)}\r\n`)
    }
    this.#wire.writeText(`${size}\r\n`)
    this.#wire.writeBytes(piece)
    return this.#wire.writeText('\r\n')
  }

  end(trailers: HeaderList): void {
    if (this.#chunked) this.#wire.writeText(lastChunk(this.#forwardTrailers ? trailers.lines : ''))
    this.#onEnd()
  }

  abort(error: Error): void {
    this.#onAbort(error)
  }
}

function lastChunk(trailerLines: string): string {
  return `0\r\n${trailerLines}\r\n`
}
