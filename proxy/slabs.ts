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

/** What was made here, by its memory: Node's pool has buffers of the same size, and only ours may come back. */
const own = new WeakMap<ArrayBufferLike, Buffer>()
const freeRecords: Buffer[] = []
const freeReads: Buffer[] = []

function makeSlab(bytes: number): Buffer {
  const slab = Buffer.allocUnsafeSlow(bytes)
  own.set(slab.buffer, slab)
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

/** Memory to write into: 16 KiB (`record`) or 64 KiB (`read`); any part of it that begins it can be given back. */
export function lendSlab(size: 'record' | 'read'): Buffer {
  if (size === 'record') return freeRecords.pop() ?? makeSlab(recordBytes)
  return freeReads.pop() ?? makeSlab(readBytes)
}

/** Takes back, once, what `lendCopy` gave; it must be in no use any more. Anything else is left alone. */
export function giveBack(copy: Buffer): void {
  const { buffer } = copy
  // Node's pool has no buffers of a record's size, so that what is small costs no look-up.
  if (copy.length < smallBytes && buffer.byteLength !== recordBytes) return
  const slab = own.get(buffer)
  if (slab === undefined) return
  const free = slab.length === recordBytes ? freeRecords : freeReads
  if (free.length < mostKept) free.push(slab)
}
