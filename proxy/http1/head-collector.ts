/** Finds the end of a head in what arrives; the usual case, a whole head in one read, copies nothing twice. */
import type { Buffer } from 'node:buffer'
import { maxHeadBytes } from './limits.ts'
import { WireError } from './wire-error.ts'

/** RFC 9112 2.2 lets a recipient take a lone LF for a line end; proxies that differ on it get smuggled through. */
export function hasBareLineFeed(text: string): boolean {
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
    if (at === 0 || text.charCodeAt(at - 1) !== 0x0d) return true
  }
  return false
}

export class HeadCollector {
  readonly #malformedStatus: number
  readonly #tooLongStatus: number
  #partial = ''

  /** The statuses of the WireErrors: 400 and 431 for requests, 502 and 502 for responses. */
  constructor(malformedStatus: number, tooLongStatus: number) {
    this.#malformedStatus = malformedStatus
    this.#tooLongStatus = tooLongStatus
  }

  /** Some bytes of a head are there, but not its end. */
  get pending(): boolean {
    return this.#partial !== ''
  }

  /** The complete head, set when `take` returned an index. */
  head = ''

  /**
   * Takes buffer[start, end). Returns the index after the head's empty line and sets `head`, or -1 when more is needed.
   * Throws WireError when the head is too long or has a bare LF.
   */
  take(buffer: Buffer, start: number, end: number): number {
    if (this.#partial === '') {
      const close = buffer.indexOf('\r\n\r\n', start, 'latin1')
      if (close !== -1 && close + 4 <= end) {
        if (close + 4 - start > maxHeadBytes) throw new WireError(this.#tooLongStatus, 'head is too long')
        this.head = buffer.latin1Slice(start, close + 4)
        return close + 4
      }
    }
    return this.#takeSlowly(buffer, start, end)
  }

  #takeSlowly(buffer: Buffer, start: number, end: number): number {
    const before = this.#partial.length
    // Never more than one byte over the limit is kept, however much arrived.
    const text = this.#partial + buffer.latin1Slice(start, Math.min(end, start + maxHeadBytes + 4 - before))
    const close = text.indexOf('\r\n\r\n', Math.max(0, before - 3))
    const length = close === -1 ? text.length : close + 4
    if (length > maxHeadBytes) throw new WireError(this.#tooLongStatus, 'head is too long')
    if (close === -1) {
      if (hasBareLineFeed(text)) throw new WireError(this.#malformedStatus, 'bare LF')
      this.#partial = text
      return -1
    }
    this.#partial = ''
    this.head = text.slice(0, length)
    return start + (length - before)
  }
}
