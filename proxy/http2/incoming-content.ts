/** Content that comes as DATA: checked against what was said of its length, and credited as it moves on. */
import type { Buffer } from 'node:buffer'
import { Body, type BodyLength, type BodySource } from '../body.ts'
import { errorCode } from './frame-types.ts'
import { initialStreamWindowBytes, maxStreamWindowBytes } from './limits.ts'
import { ReceiveWindow } from './receive-window.ts'
import type { Http2Stream } from './stream.ts'

export class IncomingContent implements BodySource {
  readonly #stream: Http2Stream
  readonly body: Body
  /** What may still come; -1: not said. */
  #expectedBytes: number
  readonly #window = new ReceiveWindow(initialStreamWindowBytes)
  paused = false
  #wasPaused = false
  #parkedBytes = 0

  constructor(stream: Http2Stream, length: BodyLength, expectedBytes: number) {
    this.#stream = stream
    this.#expectedBytes = expectedBytes
    this.body = new Body(length, this)
  }

  /** Counts a DATA frame of `bytes`, padding included, against what the peer may send. */
  take(bytes: number): boolean {
    return this.#window.take(bytes)
  }

  /** Content of a DATA frame, perhaps a part of it. */
  push(buffer: Buffer, from: number, to: number): void {
    const stream = this.#stream
    const length = to - from
    if (this.#expectedBytes !== -1 && (this.#expectedBytes -= length) < 0) {
      stream.fail(errorCode.protocolError, 'more content than content-length says')
      return
    }
    if (length === 0) return
    this.body.push(buffer.subarray(from, to))
    if (stream.over) return
    if (this.paused) this.#park(length)
    else this.credit(length)
  }

  /** All that was promised has come. */
  get whole(): boolean {
    return this.#expectedBytes <= 0
  }

  pauseBody(): void {
    this.paused = true
    this.#wasPaused = true
  }

  resumeBody(): void {
    this.paused = false
    const parked = this.unpark()
    if (parked > 0) this.credit(parked)
  }

  /** `bytes` have moved on: the peer may send as many more, and more than before when nothing ever had to wait. */
  credit(bytes: number): void {
    const stream = this.#stream
    const window = this.#window
    if (stream.remoteEnded || stream.over) return
    let by = window.credit(bytes)
    if (by === 0) return
    if (!this.#wasPaused && window.sizeBytes < maxStreamWindowBytes) {
      by += window.grow(2 * window.sizeBytes)
      stream.session.makeRoomFor(window.sizeBytes)
    }
    this.#wasPaused = false
    stream.session.out.windowUpdate(stream.id, by)
  }

  /** What was received and has not moved on counts no more. */
  unpark(): number {
    const parked = this.#parkedBytes
    this.#parkedBytes = 0
    if (parked > 0) this.#stream.session.unpark(parked)
    return parked
  }

  #park(bytes: number): void {
    this.#parkedBytes += bytes
    this.#stream.session.park(bytes)
  }
}
