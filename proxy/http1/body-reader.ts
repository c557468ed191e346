/** Reads one message's body off a wire and pushes it into a Body, however its length is known. */
import type { Buffer } from 'node:buffer'
import { type Body, chunked, untilClose } from '../body.ts'
import type { HeaderList } from '../header-list.ts'
import { ChunkedDecoder, type ChunkedReceiver } from './chunked-decoder.ts'

export class BodyReader implements ChunkedReceiver {
  readonly #body: Body
  readonly #decoder: ChunkedDecoder | undefined
  #remaining: number

  /** `status` is that of the WireError on a malformed body. */
  constructor(body: Body, status: number) {
    this.#body = body
    this.#decoder = body.length === chunked ? new ChunkedDecoder(status) : undefined
    this.#remaining = body.length === untilClose ? Number.POSITIVE_INFINITY : body.length
  }

  get done(): boolean {
    return this.#decoder?.done ?? this.#remaining === 0
  }

  /** Consumes the body's bytes of buffer[start, end) and returns the index of the first byte after the body. */
  read(buffer: Buffer, start: number, end: number): number {
    if (this.#decoder !== undefined) return this.#decoder.decode(buffer, start, end, this)
    const stop = Math.min(end, start + this.#remaining)
    this.#remaining -= stop - start
    this.onData(buffer, start, stop)
    if (this.#remaining === 0) this.#body.finish()
    return stop
  }

  /** The connection ended: fine for a body that lasts until then, a broken message otherwise. */
  end(): boolean {
    if (this.#remaining !== Number.POSITIVE_INFINITY) return false
    this.#remaining = 0
    this.#body.finish()
    return true
  }

  onData(buffer: Buffer, start: number, end: number): void {
    if (start === end) return
    this.#body.push(buffer.subarray(start, end))
  }

  onFinish(trailers: HeaderList): void {
    this.#body.finish(trailers)
  }
}
