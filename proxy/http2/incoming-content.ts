/** Content that comes as DATA: checked against what was said of its length, and credited as it moves on. */
import type { Buffer } from 'node:buffer'
import { Body, type BodyLength, type BodySource } from '../body.ts'
import { errorCode } from './frame-types.ts'
import { initialStreamWindowBytes, maxStreamWindowBytes } from './limits.ts'
import { ReceiveWindow } from './receive-window.ts'
import type { Http2Stream } from './stream.ts'

/** A window that moves on in less time than this is too small. */
const coveredMs = 200

export class IncomingContent implements BodySource {
  readonly #stream: Http2Stream
  readonly body: Body
  /** What its peer has said to the end is held as long as the rest, and counts as long. */
  readonly pausesBeyondEnd = true
  /** What may still come; -1: not said. */
  #expectedBytes: number
  readonly #window: ReceiveWindow
  paused = false
  /** Received, and not moved on. */
  #parkedBytes = 0
  /** When the window was last opened. */
  #openedMs: number
  /** By how much its window has grown beyond the usual, and up to that after it was lowered. */
  #grownBytes = 0
  #regrownBytes = 0

  constructor(stream: Http2Stream, length: BodyLength, expectedBytes: number) {
    this.#stream = stream
    this.#expectedBytes = expectedBytes
    this.#window = new ReceiveWindow(stream.session.flow.streamWindowBytes, initialStreamWindowBytes)
    this.#openedMs = stream.session.nowMs()
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

  /** Nothing that was promised is missing, if anything was. */
  get whole(): boolean {
    return this.#expectedBytes <= 0
  }

  /** It was said how much there is, and all of it has come. */
  get fulfilled(): boolean {
    return this.#expectedBytes === 0
  }

  pauseBody(): void {
    this.paused = true
  }

  resumeBody(): void {
    this.paused = false
    const parked = this.#unpark()
    if (parked > 0) this.credit(parked)
  }

  /**
   * `bytes` have moved on: the peer may send as many more, and more than before where they move fast. What lies in a
   * window keeps all sides busy while one of them waits for its turn on a busy machine, as the kernel's buffers do for
   * HTTP/1; with too little, every one waits for the one before.
   */
  credit(bytes: number): void {
    const stream = this.#stream
    if (stream.remoteEnded || stream.over) return
    const by = this.#window.credit(bytes)
    if (by === 0) return
    const nowMs = stream.session.nowMs()
    const windowMs = ((nowMs - this.#openedMs) * this.#window.sizeBytes) / by
    const more = windowMs < coveredMs ? this.#grow() : 0
    this.#openedMs = nowMs
    stream.session.out.windowUpdate(stream.id, by + more)
  }

  /** The peer was told of another window for every stream. */
  changeWindow(by: number): void {
    this.#window.sizeBytes += by
    // Of a smaller one more may be owed than is left of it: then the peer could send nothing, and nothing would be credited.
    this.credit(0)
  }

  /** Nobody sends or wants any more of it. */
  release(): void {
    this.#unpark()
    this.#stream.session.flow.shrink(this.#grownBytes, this.#regrownBytes)
    this.#grownBytes = this.#regrownBytes = 0
  }

  /** What was received and has not moved on counts no more. */
  #unpark(): number {
    const parked = this.#parkedBytes
    this.#parkedBytes = 0
    if (parked > 0) this.#stream.session.flow.unpark(parked)
    return parked
  }

  #park(bytes: number): void {
    this.#parkedBytes += bytes
    this.#stream.session.flow.park(bytes)
  }

  /** Doubles the window, where there is memory for that; by how much. */
  #grow(): number {
    const { sizeBytes } = this.#window
    const by = Math.min(sizeBytes, maxStreamWindowBytes - sizeBytes)
    if (by <= 0) return 0
    const { flow } = this.#stream.session
    if (sizeBytes >= initialStreamWindowBytes) {
      if (!flow.grow(by)) return 0
      this.#grownBytes += by
    } else {
      if (!flow.regrow(by)) return 0
      this.#regrownBytes += by
    }
    flow.makeRoomFor(sizeBytes + by)
    return this.#window.grow(sizeBytes + by)
  }
}
