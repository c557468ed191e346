/**
 * Content that waits to be sent, behind one another in lent memory: what it costs goes by its bytes and not by the
 * pieces that it came in, which a peer makes as small as it likes.
 */
import { Buffer } from 'node:buffer'
import { giveBack, lendSlab } from '../slabs.ts'
import { flowMemory } from './flow-memory.ts'

const recordBytes = 16 * 1024
/** A little that waits alone takes no slab. */
const littleBytes = 1024

export class HeldContent {
  /** All that waits. */
  bytes = 0
  readonly #chunks: Buffer[] = []
  /** Where what waits begins in the first chunk, and ends in the last. */
  #start = 0
  #end = 0

  /** The first bytes that wait are `chunk[start, end)`; only while there are any. */
  get chunk(): Buffer {
    return this.#chunks[0] as Buffer
  }

  get start(): number {
    return this.#start
  }

  get end(): number {
    return this.#chunks.length === 1 ? this.#end : this.chunk.length
  }

  /** Copies what is in `piece` from `from` on. */
  add(piece: Buffer, from: number): void {
    this.#count(piece.length - from)
    for (let at = from; at < piece.length; ) {
      const chunk = this.#withRoom(piece.length - at)
      const count = piece.copy(chunk, this.#end, at)
      this.#end += count
      at += count
    }
  }

  /** The first `count` bytes of the first chunk have gone. */
  take(count: number): void {
    this.#count(-count)
    this.#start += count
    if (this.#start < this.end) return
    giveBack(this.chunk)
    this.#chunks.shift()
    this.#start = 0
  }

  /** Nobody wants any of it. */
  drop(): void {
    for (const chunk of this.#chunks) giveBack(chunk)
    this.#chunks.length = 0
    this.#count(-this.bytes)
    this.#start = this.#end = 0
  }

  #count(bytes: number): void {
    this.bytes += bytes
    flowMemory.hold(bytes)
  }

  #withRoom(count: number): Buffer {
    const last = this.#chunks.at(-1)
    if (last !== undefined && this.#end < last.length) return last
    const fresh = this.#lend(count)
    this.#chunks.push(fresh)
    this.#end = 0
    return fresh
  }

  #lend(count: number): Buffer {
    if (count <= littleBytes && this.#chunks.length === 0) return Buffer.allocUnsafe(count)
    return lendSlab(count <= recordBytes && this.#chunks.length === 0 ? 'record' : 'read')
  }
}
