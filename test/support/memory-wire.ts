/** A wire without a socket, for codecs under millions of cases: what is read is delivered, what is written is kept. */
import { Buffer } from 'node:buffer'
import type { Wire, WireReader } from '../../proxy/listen/wire.ts'

/** As with real wires, one for all, so that what an earlier read left behind lies after the bytes of this one. */
const sharedReadBuffer = Buffer.alloc(64 * 1024)

export class MemoryWire {
  readonly socket = { cork: () => undefined, uncork: () => undefined }
  readonly error = undefined
  readonly unsentBytes = 0
  /** Latin1. */
  written = ''
  /** What the codec made of its side. */
  state: 'open' | 'ended' | 'destroyed' | 'reset' = 'open'
  #reader: WireReader | undefined
  #paused = false
  #waiting: string[] = []

  /** For the codec, which takes the real class. */
  get wire(): Wire {
    return this as unknown as Wire
  }

  get closed(): boolean {
    return this.state === 'destroyed' || this.state === 'reset'
  }

  get ended(): boolean {
    return false
  }

  get takenBytes(): number {
    return this.written.length
  }

  /** Nothing waits: what is written has left. */
  get writtenBytes(): number {
    return this.written.length
  }

  hasLeft(from: number): boolean {
    return this.written.length > from
  }

  takeBack(from: number): boolean {
    return !this.hasLeft(from)
  }

  readInto(reader: WireReader): void {
    this.#reader = reader
  }

  /** `text` (latin1, at most 64 KiB) arrives; it waits while the codec pauses. */
  deliver(text: string): void {
    if (this.closed || text === '') return
    if (this.#paused) {
      this.#waiting.push(text)
      return
    }
    const end = sharedReadBuffer.write(text, 0, 'latin1')
    this.#reader?.onBytes(sharedReadBuffer, 0, end)
  }

  deliverEnd(): void {
    if (!this.closed) this.#reader?.onEnd()
  }

  writeText(text: string): boolean {
    if (this.state === 'open') this.written += text
    return true
  }

  writeBytes(bytes: Buffer): boolean {
    return this.writeText(bytes.latin1Slice(0, bytes.length))
  }

  writeLent(pieces: readonly Buffer[]): boolean {
    for (const piece of pieces) this.writeBytes(piece)
    return true
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    queueMicrotask(() => {
      while (!this.#paused && this.#waiting.length > 0) this.deliver(this.#waiting.shift() as string)
    })
  }

  end(): void {
    if (this.state === 'open') this.state = 'ended'
  }

  destroy(): void {
    this.#close('destroyed')
  }

  reset(): void {
    this.#close('reset')
  }

  #close(state: 'destroyed' | 'reset'): void {
    if (this.closed) return
    this.state = state
    queueMicrotask(() => this.#reader?.onClose(undefined))
  }
}
