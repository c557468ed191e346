/** Brings heads to their parser: as they lie in the read buffer when they are whole, collected when they come in parts. */
import { Buffer } from 'node:buffer'
import { HeadSource } from './head-source.ts'
import { LineBlock } from './line-block.ts'
import { WireError } from './wire-error.ts'

/** Parses the head at `source`, moves its position behind it, or gives undefined when its end is not there. */
export type ParseHead<H> = (source: HeadSource) => H | undefined

/** What of a read is looked at as text at once; a longer head is collected. */
const maxFastBytes = 16 * 1024
const noBytes = Buffer.alloc(0)

export class HeadCollector<H> {
  readonly #parse: ParseHead<H>
  readonly #malformedStatus: number
  readonly #source = new HeadSource(noBytes)
  readonly #lines: LineBlock

  /** The statuses of the WireErrors: 400, 431 and 414 for requests, 502 for responses. */
  constructor(
    parse: ParseHead<H>,
    malformedStatus: number,
    tooLongStatus: number,
    longLineStatus = tooLongStatus,
  ) {
    this.#parse = parse
    this.#malformedStatus = malformedStatus
    this.#lines = new LineBlock(malformedStatus, tooLongStatus, longLineStatus)
  }

  /** Some bytes of a head are there, but not its end. */
  get pending(): boolean {
    return this.#lines.length > 0
  }

  /** The complete head, set when `take` returned an index. */
  head: H | undefined

  /**
   * Takes buffer[start, end). Returns the index after the head's empty line and sets `head`, or -1 when more is needed.
   * Throws WireError when the head is too long or malformed.
   */
  take(buffer: Buffer, start: number, end: number): number {
    if (this.#lines.length === 0) {
      const source = this.#source
      const stop = Math.min(end, start + maxFastBytes)
      source.set(buffer, start, stop, buffer.latin1Slice(start, stop))
      this.head = this.#parse(source)
      if (this.head !== undefined) return source.position
    }
    return this.#takeSlowly(buffer, start, end)
  }

  /** The bytes of buffer[from, to), which followed the head just taken, as latin1. */
  textAfter(buffer: Buffer, from: number, to: number): string {
    const { bytes, end } = this.#source
    return bytes === buffer && to <= end ? this.#source.slice(from, to) : buffer.latin1Slice(from, to)
  }

  #takeSlowly(buffer: Buffer, start: number, end: number): number {
    const after = this.#lines.take(buffer, start, end)
    if (after === -1) return -1
    const whole = this.#lines.release()
    this.#source.set(whole, 0, whole.length, whole.latin1Slice(0, whole.length))
    this.head = this.#parse(this.#source)
    // Where the parser sees no end although there is an empty line, the lines before it are not what they seem.
    if (this.head === undefined) throw new WireError(this.#malformedStatus, 'malformed head')
    return after
  }
}
