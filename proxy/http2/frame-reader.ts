/**
 * Cuts what was read into frames, where it lies: only what is incomplete at the end of a read is copied, and of DATA not
 * even that, as its parts can go on at once.
 */
import { Buffer } from 'node:buffer'
import { ConnectionFault } from './faults.ts'
import { dataFrame, errorCode, frameHeaderBytes, maxFrameBytes, paddedFlag } from './frame-types.ts'

export interface FrameHandler {
  /** Nothing more is to be read. */
  readonly over: boolean
  /** A whole frame, its payload in buffer[from, to); what follows ends at `end`. Returns where to go on. */
  onFrame(
    type: number,
    flags: number,
    id: number,
    buffer: Buffer,
    from: number,
    to: number,
    end: number,
  ): number
  /** A DATA frame begins whose `length` bytes come in parts. */
  onDataBegin(id: number, length: number): void
  onDataPart(id: number, flags: number, buffer: Buffer, from: number, to: number, last: boolean): void
}

const noBytes = Buffer.alloc(0)

export class FrameReader {
  readonly #handler: FrameHandler
  /** A frame whose end has not come. */
  #partial: Buffer = noBytes
  #partialBytes = 0
  /** How many there were. */
  #partials = 0
  #dataLeft = 0
  #dataId = 0
  #dataFlags = 0

  constructor(handler: FrameHandler) {
    this.#handler = handler
  }

  /** The number of the frame that is only begun, of any kind but DATA, which a stream answers for; 0: there is none. */
  get unfinished(): number {
    const isKnown = this.#partialBytes >= frameHeaderBytes
    return isKnown && this.#partial[3] !== dataFrame ? this.#partials : 0
  }

  /** Reads buffer[start, end). Throws ConnectionFault. */
  read(buffer: Buffer, start: number, end: number): void {
    const handler = this.#handler
    let at = start
    if (this.#dataLeft > 0) at = this.#readData(buffer, at, end)
    if (this.#partialBytes > 0) at = this.#completePartial(buffer, at, end)
    while (end - at >= frameHeaderBytes && !handler.over) {
      const to = at + frameHeaderBytes + lengthAt(buffer, at)
      if (to > end) {
        if (!isPlainData(buffer, at)) break
        this.#beginData(buffer, at)
        this.#readData(buffer, at + frameHeaderBytes, end)
        return
      }
      const type = buffer[at + 3] as number
      at = handler.onFrame(
        type,
        buffer[at + 4] as number,
        idAt(buffer, at + 5),
        buffer,
        at + frameHeaderBytes,
        to,
        end,
      )
    }
    if (at < end && !handler.over) this.#keep(buffer, at, end)
  }

  #keep(buffer: Buffer, from: number, to: number): void {
    const known = to - from >= frameHeaderBytes
    this.#partial = Buffer.allocUnsafe(frameHeaderBytes + (known ? lengthAt(buffer, from) : 0))
    this.#partialBytes = buffer.copy(this.#partial, 0, from, to)
    this.#partials++
  }

  /** Goes on with the frame that was incomplete; returns where it ends, or `end`. */
  #completePartial(buffer: Buffer, start: number, end: number): number {
    let at = start
    if (this.#partialBytes < frameHeaderBytes) {
      at = this.#fill(buffer, at, end, frameHeaderBytes)
      if (this.#partialBytes < frameHeaderBytes) return at
      const header = this.#partial
      const length = lengthAt(header, 0)
      if (length > 0 && isPlainData(header, 0)) {
        this.#partialBytes = 0
        this.#beginData(header, 0)
        return this.#readData(buffer, at, end)
      }
      this.#partial = Buffer.allocUnsafe(frameHeaderBytes + length)
      header.copy(this.#partial, 0, 0, frameHeaderBytes)
    }
    at = this.#fill(buffer, at, end, this.#partial.length)
    const frame = this.#partial
    if (this.#partialBytes < frame.length) return at
    this.#partial = noBytes
    this.#partialBytes = 0
    const { length } = frame
    this.#handler.onFrame(
      frame[3] as number,
      frame[4] as number,
      idAt(frame, 5),
      frame,
      frameHeaderBytes,
      length,
      length,
    )
    return at
  }

  #fill(buffer: Buffer, start: number, end: number, wanted: number): number {
    const stop = Math.min(end, start + wanted - this.#partialBytes)
    this.#partialBytes += buffer.copy(this.#partial, this.#partialBytes, start, stop)
    return stop
  }

  #beginData(header: Buffer, at: number): void {
    this.#dataLeft = lengthAt(header, at)
    this.#dataFlags = header[at + 4] as number
    this.#dataId = idAt(header, at + 5)
    this.#handler.onDataBegin(this.#dataId, this.#dataLeft)
  }

  #readData(buffer: Buffer, start: number, end: number): number {
    const stop = Math.min(end, start + this.#dataLeft)
    if (stop === start) return start
    this.#dataLeft -= stop - start
    this.#handler.onDataPart(this.#dataId, this.#dataFlags, buffer, start, stop, this.#dataLeft === 0)
    return stop
  }
}

/** A frame's length, from its header; throws as soon as that says it is too long. */
function lengthAt(bytes: Buffer, at: number): number {
  const length = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
  if (length > maxFrameBytes) throw new ConnectionFault(errorCode.frameSizeError, 'a frame is too long')
  return length
}

/** A stream's id, or what else has its form: the first bit means nothing. */
export function idAt(bytes: Buffer, at: number): number {
  return (
    (((bytes[at] as number) & 0x7f) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  )
}

function isPlainData(bytes: Buffer, at: number): boolean {
  return bytes[at + 3] === dataFrame && ((bytes[at + 4] as number) & paddedFlag) === 0
}
