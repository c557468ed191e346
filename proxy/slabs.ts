/**
 * Memory that bytes wait in until they have left, lent and taken back. What is read is overwritten by the next read, so
 * it has to be copied; a Buffer for each copy would be left to the garbage collector, which lets hundreds of megabytes
 * of them pile up, each in memory that no cache knows.
 */
import { Buffer } from 'node:buffer'

/** Of a TLS record, and of a read. */
const recordBytes = 16 * 1024
const readBytes = 64 * 1024
/** What is kept of each size: as many as one turn of the event loop lets wait. */
const mostKept = 64
/** Below this, a part of Node's own pool does. */
const smallBytes = 4 * 1024

/** Node's pool has buffers of the same size: only what was made here may come back. */
const own = new WeakSet<ArrayBufferLike>()
const freeRecords: Buffer[] = []
const freeReads: Buffer[] = []

function makeSlab(bytes: number): Buffer {
  const slab = Buffer.allocUnsafeSlow(bytes)
  own.add(slab.buffer)
  return slab
}

/** A copy of `bytes`, for as long as nobody gives it to `giveBack`. */
export function lendCopy(bytes: Buffer): Buffer {
  const { length } = bytes
  if (length < smallBytes || length > readBytes) return Buffer.from(bytes)
  const small = length <= recordBytes
  const slab = (small ? freeRecords : freeReads).pop() ?? makeSlab(small ? recordBytes : readBytes)
  slab.set(bytes)
  return slab.subarray(0, length)
}

/** Takes back, once, what `lendCopy` gave; it must be in no use any more. Anything else is left alone. */
export function giveBack(copy: Buffer): void {
  if (copy.length < smallBytes || !own.has(copy.buffer)) return
  const { buffer } = copy
  const free = buffer.byteLength === recordBytes ? freeRecords : freeReads
  if (free.length < mostKept) free.push(Buffer.from(buffer))
}
