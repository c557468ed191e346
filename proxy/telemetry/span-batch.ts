/**
 * Spans that go out in one request, as the bytes of its body. Bytes, because texts made of hundreds of pieces would have
 * to be walked by every garbage collection until they are sent.
 */
import { Buffer } from 'node:buffer'
import type { SpanFormat } from './span.ts'

export const maxBatchSpans = 512
const batchBytes = 256 * 1024
/** UTF-8 needs no more for a unit of text. */
const mostBytesPerUnit = 3

export class SpanBatch {
  readonly #bytes = Buffer.allocUnsafe(batchBytes)
  readonly #begin: number
  readonly #end: string
  #length: number
  spans = 0

  constructor({ open, close }: Pick<SpanFormat, 'open' | 'close'>) {
    this.#end = close
    this.#begin = this.#length = this.#bytes.utf8Write(open, 0)
  }

  /** Ready to be filled again. */
  clear(): void {
    this.#length = this.#begin
    this.spans = 0
  }

  get full(): boolean {
    return this.spans >= maxBatchSpans
  }

  /** False when there is no room for it. */
  add(span: string): boolean {
    const needed = span.length * mostBytesPerUnit + 1 + this.#end.length
    if (this.full || this.#length + needed > batchBytes) return false
    if (this.spans > 0) this.#bytes[this.#length++] = comma
    this.#length += this.#bytes.utf8Write(span, this.#length)
    this.spans++
    return true
  }

  body(): Buffer {
    const end = this.#bytes.utf8Write(this.#end, this.#length)
    return this.#bytes.subarray(0, this.#length + end)
  }
}

const comma = 0x2c
