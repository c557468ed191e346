/** Random ids in hex, cut from a block that is filled rarely: one system call for hundreds of requests. */
import { randomBytes } from 'node:crypto'

const blockBytes = 4096

export class TraceIds {
  #hex = ''
  #at = 0

  /** 16 lower-case hex digits, never all zero. */
  spanId(): string {
    const id = this.#take(16)
    return id === '0000000000000000' ? this.spanId() : id
  }

  /** 32 lower-case hex digits, never all zero. */
  traceId(): string {
    const id = this.#take(32)
    return id === '00000000000000000000000000000000' ? this.traceId() : id
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
