/** Dials for a client that says nothing, in case the server is the one who speaks first. */
import { Buffer } from 'node:buffer'
import type { WireReader } from './listen/wire.ts'
import type { TcpUpstream } from './tcp-forward.ts'

const nothing = Buffer.alloc(0)

export class EarlyUpstream implements WireReader {
  readonly #dialling: Promise<TcpUpstream>
  readonly #onSpoken: () => void
  #upstream: TcpUpstream | undefined
  #heard: Buffer = nothing
  #state: 'waiting' | 'spoken' | 'gone' | 'given' = 'waiting'

  /** `onSpoken` is called once it has said something, its end included. */
  constructor(dialling: Promise<TcpUpstream>, onSpoken: () => void) {
    this.#dialling = dialling
    this.#onSpoken = onSpoken
    dialling.then(
      (upstream) => this.#listen(upstream),
      () => {
        this.#state = 'gone'
      },
    )
  }

  /** It cannot be had, or it is lost: whoever wants one has to dial again. */
  get gone(): boolean {
    return this.#state === 'gone'
  }

  /** Hands it over, with what it has said. Rejects as the dial did. */
  async take(): Promise<TcpUpstream> {
    this.#state = 'given'
    const upstream = await this.#dialling
    return { ...upstream, early: this.#heard }
  }

  /** It is not wanted: the client has said what it wants. */
  drop(): void {
    if (this.#state === 'given') return
    this.#state = 'gone'
    if (this.#upstream !== undefined) this.#release(this.#upstream)
  }

  onBytes(buffer: Buffer, start: number, end: number): void {
    this.#heard = Buffer.concat([this.#heard, buffer.subarray(start, end)])
    this.#upstream?.wire.pause()
    this.#spoken()
  }

  onEnd(): void {
    this.#spoken()
  }

  onDrain(): void {}

  onClose(): void {
    if (this.#state === 'given') return
    this.#state = 'gone'
    this.#upstream?.release()
  }

  #listen(upstream: TcpUpstream): void {
    if (this.#state === 'gone') {
      this.#release(upstream)
      return
    }
    this.#upstream = upstream
    if (this.#state === 'waiting') upstream.wire.readInto(this)
  }

  #spoken(): void {
    if (this.#state !== 'waiting') return
    this.#state = 'spoken'
    this.#onSpoken()
  }

  #release(upstream: TcpUpstream): void {
    upstream.wire.destroy()
    // Else its close does it.
    if (this.#upstream === undefined) upstream.release()
  }
}
