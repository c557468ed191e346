/** What a server says by its frames while a client sends one after the other. */
import type { Buffer } from 'node:buffer'
import { FrameSplitter, frameType } from './http2-frames.ts'

export class FramesHeard {
  readonly #splitter = new FrameSplitter()
  /** The streams that it reset, each with the client's frame after which it did so, by its place. */
  readonly resets = new Map<number, number>()
  /** Of its last GOAWAY; -1: none came. */
  code = -1

  /** Takes what it wrote after the client's frame at the place `at`. */
  take(bytes: Buffer, at: number): void {
    for (const { type, stream, payload } of this.#splitter.take(bytes)) {
      if (type === frameType.reset && !this.resets.has(stream)) this.resets.set(stream, at)
      if (type === frameType.goaway) this.code = payload.readUInt32BE(4)
    }
  }
}
