/** Collects lines up to an empty one, over any split of their bytes, at a cost that only grows with the bytes. */
import { Buffer } from 'node:buffer'
import { maxHeadBytes } from './limits.ts'
import { WireError } from './wire-error.ts'

const carriageReturn = 0x0d
const lineFeed = 0x0a
const firstBytes = 1024
const noBytes = Buffer.alloc(0)

export class LineBlock {
  readonly #malformedStatus: number
  readonly #tooLongStatus: number
  readonly #longLineStatus: number
  #bytes: Buffer = noBytes
  #length = 0
  #lineStart = 0

  /** The statuses of the WireErrors; `longLineStatus`: the first line alone is too long. */
  constructor(malformedStatus: number, tooLongStatus: number, longLineStatus = tooLongStatus) {
    this.#malformedStatus = malformedStatus
    this.#tooLongStatus = tooLongStatus
    this.#longLineStatus = longLineStatus
  }

  get length(): number {
    return this.#length
  }

  /**
   * Takes buffer[start, end) up to the empty line. Returns the index after that, or -1 when it is not there yet.
   * Throws WireError when the lines are too long, or at a CR or LF that stands alone: RFC 9112 2.2 lets a recipient take
   * a lone LF for a line end, but proxies that differ on it get smuggled through.
   */
  take(buffer: Buffer, start: number, end: number): number {
    const before = this.#length
    this.#append(buffer, start, Math.min(end, start + maxHeadBytes + 1 - before))
    const close = this.#endFrom(before)
    if (close > maxHeadBytes || (close === -1 && this.#length > maxHeadBytes))
      throw this.#lineStart === 0
        ? new WireError(this.#longLineStatus, 'first line too long')
        : new WireError(this.#tooLongStatus, 'head or trailers too long')
    if (close === -1) return -1
    this.#length = close
    return start + close - before
  }

  /** Gives what was collected away, and begins anew. */
  release(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#length)
    this.#bytes = noBytes
    this.#length = this.#lineStart = 0
    return bytes
  }

  #append(buffer: Buffer, start: number, end: number): void {
    const length = this.#length + end - start
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(firstBytes, length, 2 * this.#bytes.length))
      this.#bytes.copy(larger, 0, 0, this.#length)
      this.#bytes = larger
    }
    buffer.copy(this.#bytes, this.#length, start, end)
    this.#length = length
  }

  #endFrom(from: number): number {
    const bytes = this.#bytes
    for (let at = from; at < this.#length; at++) {
      const endsLine = bytes[at] === lineFeed
      if (endsLine !== (at > 0 && bytes[at - 1] === carriageReturn))
        throw new WireError(this.#malformedStatus, endsLine ? 'bare LF' : 'bare CR')
      if (!endsLine) continue
      if (at - this.#lineStart === 1) return at + 1
      this.#lineStart = at + 1
    }
    return -1
  }
}
