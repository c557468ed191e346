/**
 * Random ids in hex, made many at a time. By Math.random, as OpenTelemetry makes them: ids have to differ and nothing else,
 * and a call for the system's own random bytes costs more than a whole request, however few they are.
 */
import { Buffer } from 'node:buffer'

const blockDigits = 4096
const traceDigits = 32
const spanDigits = 16

export class TraceIds {
  readonly #digits = Buffer.alloc(blockDigits)
  #text = ''
  #at = 0

  /** 16 lower-case hex digits, never all zero. */
  spanId(): string {
    return this.#take(spanDigits)
  }

  /** 32 lower-case hex digits, never all zero. */
  traceId(): string {
    return this.#take(traceDigits)
  }

  #take(digits: number): string {
    if (this.#at + digits > this.#text.length) {
      writeRandomHex(this.#digits, 0, blockDigits)
      this.#text = this.#digits.latin1Slice()
      this.#at = 0
    }
    const id = this.#text.slice(this.#at, this.#at + digits)
    this.#at += digits
    return id
  }
}

/** `digits` is a multiple of 16. The first of each 16 is odd, so that no id is all zero, which would be none. */
export function writeRandomHex(into: Uint8Array, at: number, digits: number): void {
  for (let i = at; i < at + digits; i += 8) {
    let word = (Math.random() * 2 ** 32) >>> 0
    if ((i - at) % spanDigits === 0) word |= 1
    for (let j = i; j < i + 8; j++) {
      const value = word & 15
      into[j] = value < 10 ? 0x30 + value : 0x57 + value
      word >>>= 4
    }
  }
}
