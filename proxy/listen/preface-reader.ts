/** Tells HTTP/2 from HTTP/1 on a listener that serves nothing else: by the preface, which no request begins with. */
import { Buffer } from 'node:buffer'
import type { Connection } from './connections.ts'
import { http2Preface } from './detect.ts'
import type { Wire, WireReader } from './wire.ts'

export type OnProtocol = (protocol: 'http1' | 'http2', bytes: Buffer) => void

const noBytes = Buffer.alloc(0)

export class PrefaceReader implements WireReader, Connection {
  readonly #wire: Wire
  readonly #onKnown: OnProtocol
  readonly #onGone: () => void
  #held: Buffer = noBytes
  readonly deadlineMs: number

  /** `onKnown`'s bytes stay as they are during the call only; the caller sets the next reader there. */
  constructor(wire: Wire, deadlineMs: number, onKnown: OnProtocol, onGone: () => void) {
    this.#wire = wire
    this.deadlineMs = deadlineMs
    this.#onKnown = onKnown
    this.#onGone = onGone
  }

  onBytes(buffer: Buffer, start: number, end: number): void {
    const read = buffer.subarray(start, end)
    const bytes = this.#held.length === 0 ? read : Buffer.concat([this.#held, read])
    const begin = bytes.latin1Slice(0, Math.min(bytes.length, http2Preface.length))
    if (!http2Preface.startsWith(begin)) this.#onKnown('http1', bytes)
    else if (begin.length === http2Preface.length) this.#onKnown('http2', bytes)
    else this.#held = Buffer.from(bytes)
  }

  onEnd(): void {
    if (this.#held.length > 0) this.#onKnown('http1', this.#held)
    else this.#wire.destroy()
  }

  onClose(): void {
    this.#onGone()
  }

  onDrain(): void {}

  onDeadline(): void {
    this.#wire.destroy()
  }

  drain(): void {
    this.#wire.destroy()
  }

  destroy(): void {
    this.#wire.destroy()
  }
}
