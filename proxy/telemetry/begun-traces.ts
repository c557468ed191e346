/**
 * Traces that begin here and are not sampled, which is what most requests get: their fields are written many at a time, and
 * a request takes one piece of that text, instead of ten that have to be joined. As nobody keeps a span of them, they
 * differ in 64 bits, and the first span has these as its id, too (as Zipkin's own clients have it).
 */
import { Buffer } from 'node:buffer'
import type { TraceContext } from '../exchange.ts'
import { bothFormsLines } from './trace-context.ts'
import { writeRandomHex } from './trace-ids.ts'

const tracesPerBlock = 64
/** Of a span's id, and of each half of a trace's. */
const digits = 16
const blank = '0'.repeat(digits)
const template = bothFormsLines({
  traceId: blank + blank,
  spanId: blank,
  parentSpanId: undefined,
  sampled: false,
  debug: false,
})
const traceAt = template.indexOf(blank)
const spanAt = traceAt + 2 * digits + 1
const secondTraceAt = template.lastIndexOf(blank + blank)
const secondSpanAt = secondTraceAt + 2 * digits + 1

/** Its ids are cut out where somebody asks for them, which is in a log. */
export class BegunTrace implements TraceContext {
  /** The fields that tell of it, as they are written. */
  readonly lines: string

  constructor(lines: string) {
    this.lines = lines
  }

  get traceId(): string {
    return this.lines.slice(traceAt, traceAt + 2 * digits)
  }

  get spanId(): string {
    return this.lines.slice(spanAt, spanAt + digits)
  }

  get parentSpanId(): undefined {
    return undefined
  }

  get sampled(): false {
    return false
  }

  get debug(): false {
    return false
  }
}

export class BegunTraces {
  readonly #block = Buffer.from(template.repeat(tracesPerBlock), 'latin1')
  #text = ''
  #at = 0

  constructor() {
    const half = Buffer.alloc(digits)
    writeRandomHex(half, 0, digits)
    for (let from = 0; from < this.#block.length; from += template.length) {
      half.copy(this.#block, from + traceAt)
      half.copy(this.#block, from + secondTraceAt)
    }
  }

  next(): BegunTrace {
    if (this.#at === this.#text.length) this.#fill()
    const from = this.#at
    this.#at = from + template.length
    return new BegunTrace(this.#text.slice(from, this.#at))
  }

  #fill(): void {
    const block = this.#block
    for (let from = 0; from < block.length; from += template.length) {
      const at = from + spanAt
      writeRandomHex(block, at, digits)
      for (let i = 0; i < digits; i++) {
        const digit = block[at + i] as number
        block[from + traceAt + digits + i] = digit
        block[from + secondTraceAt + digits + i] = digit
        block[from + secondSpanAt + i] = digit
      }
    }
    this.#text = block.latin1Slice()
    this.#at = 0
  }
}
