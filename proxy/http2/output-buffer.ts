/**
 * What a connection writes in one turn of the event loop, frame behind frame in lent memory that goes to the kernel as it
 * is: no frame has a Buffer of its own.
 */
import { Buffer } from 'node:buffer'
import { lendSlab } from '../slabs.ts'

const smallSlab = 16 * 1024
const largeSlab = 64 * 1024
/** A frame above this is one of many: four DATA frames fill a large slab, and leave in one piece, which TLS need not copy. */
const largeFrame = 8 * 1024

export class OutputBuffer {
  /** What is written into, from `length` on. */
  bytes: Buffer
  length = 0
  /** Another one whenever what was written before cannot be changed any more. */
  epoch = 0
  #full: Buffer[] = []
  #fullBytes = 0

  constructor() {
    this.bytes = noBytes
  }

  /** All that waits. */
  get size(): number {
    return this.#fullBytes + this.length
  }

  /** Makes room for `count` more bytes behind `length`, where need be in another buffer; what belongs together stays so. */
  ensure(count: number): void {
    if (this.bytes.length - this.length >= count) return
    const larger = lendLarger(this.length + count)
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }

  /** Room for a frame of `count` bytes; what was written before is done with. */
  begin(count: number): void {
    if (this.bytes.length - this.length >= count) return
    if (this.length > 0) this.#seal()
    // No larger than need be: of a large one, what is small is not taken back.
    this.bytes = lendLarger(count > largeFrame ? Math.max(count, largeSlab) : count)
  }

  /** Hands everything over, in its order; the memory belongs to the caller. */
  take(): readonly Buffer[] {
    this.#seal()
    const pieces = this.#full
    this.#full = []
    this.#fullBytes = 0
    return pieces
  }

  #seal(): void {
    this.epoch++
    if (this.length > 0) {
      this.#full.push(this.bytes.subarray(0, this.length))
      this.#fullBytes += this.length
    }
    this.bytes = noBytes
    this.length = 0
  }
}

const noBytes = Buffer.alloc(0)

function lendLarger(count: number): Buffer {
  if (count <= smallSlab) return lendSlab('record')
  return count <= largeSlab ? lendSlab('read') : Buffer.allocUnsafeSlow(2 * count)
}
