/** Random ids in hex, cut from a block that is filled rarely: one system call for hundreds of requests. */
import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import type { TraceContext } from '../exchange.ts'
import { bothFormsLines } from './trace-context.ts'

const blockBytes = 4096
const tracesPerBlock = 32
const traceDigits = 32
const spanDigits = 16
const idBytes = (traceDigits + spanDigits) / 2

const template = bothFormsLines({
  traceId: '0'.repeat(traceDigits),
  spanId: '0'.repeat(spanDigits),
  parentSpanId: undefined,
  sampled: false,
  debug: false,
})
/** Where the ids stand in the lines: the trace's, and after one more character the span's. */
const places = [
  template.indexOf('0'.repeat(traceDigits)),
  template.lastIndexOf('0'.repeat(traceDigits)),
] as const

/** A trace that begins here and is not sampled, with the fields that tell of it. */
export type BegunTrace = { readonly context: TraceContext; readonly lines: string }

export class TraceIds {
  #hex = ''
  #at = 0
  readonly #begun = Buffer.from(template.repeat(tracesPerBlock), 'latin1')
  #begunText = ''
  #begunAt = 0

  /** 16 lower-case hex digits, never all zero. */
  spanId(): string {
    const id = this.#take(spanDigits)
    return id === '0000000000000000' ? this.spanId() : id
  }

  /** 32 lower-case hex digits, never all zero. */
  traceId(): string {
    const id = this.#take(traceDigits)
    return id === '00000000000000000000000000000000' ? this.traceId() : id
  }

  /** What most requests get. Their fields are written many at a time: joined one by one they cost ten strings each. */
  begin(): BegunTrace {
    if (this.#begunAt === this.#begunText.length) this.#fillBegun()
    const text = this.#begunText
    const from = this.#begunAt
    const idAt = from + places[0]
    const spanAt = idAt + traceDigits + 1
    this.#begunAt = from + template.length
    return {
      context: {
        traceId: text.slice(idAt, spanAt - 1),
        spanId: text.slice(spanAt, spanAt + spanDigits),
        parentSpanId: undefined,
        sampled: false,
        debug: false,
      },
      lines: text.slice(from, this.#begunAt),
    }
  }

  #fillBegun(): void {
    const raw = randomBytes(tracesPerBlock * idBytes)
    // Neither id of a trace may be all zero.
    for (let i = 0; i < raw.length; i += spanDigits / 2) raw[i] ||= 1
    const ids = Buffer.from(raw.toString('hex'), 'latin1')
    const block = this.#begun
    for (let n = 0; n < tracesPerBlock; n++)
      for (const place of places) copyIds(ids, n * idBytes * 2, block, n * template.length + place)
    this.#begunText = block.latin1Slice()
    this.#begunAt = 0
  }

  #take(digits: number): string {
    if (this.#at + digits > this.#hex.length) {
      this.#hex = randomBytes(blockBytes).toString('hex')
      this.#at = 0
    }
    const id = this.#hex.slice(this.#at, this.#at + digits)
    this.#at += digits
    return id
  }
}

/** By hand: a call of Node's own copy costs more than so few bytes. */
function copyIds(ids: Buffer, from: number, block: Buffer, to: number): void {
  for (let i = 0; i < traceDigits; i++) block[to + i] = ids[from + i] as number
  const spanTo = to + traceDigits + 1
  for (let i = 0; i < spanDigits; i++) block[spanTo + i] = ids[from + traceDigits + i] as number
}
