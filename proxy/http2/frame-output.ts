/** Writes frames, behind one another; what they make of the connection is for others to know. */
import { Buffer } from 'node:buffer'
import { HeaderFields } from '../header-fields.ts'
import type { HeaderList } from '../header-list.ts'
import {
  ackFlag,
  clientPreface,
  continuationFrame,
  dataFrame,
  endHeadersFlag,
  endStreamFlag,
  frameHeaderBytes,
  goawayFrame,
  headersFrame,
  maxDataBytes,
  maxFrameBytes,
  pingFrame,
  resetFrame,
  settingsFrame,
  windowUpdateFrame,
} from './frame-types.ts'
import { HpackEncoder } from './hpack/encoder.ts'
import { OutputBuffer } from './output-buffer.ts'

const noFields: readonly string[] = []
/** Enough for most header blocks, so that they need not be moved. */
const usualBlockBytes = 1024
const maxDebugBytes = 256

export class FrameOutput {
  readonly buffer = new OutputBuffer()
  readonly encoder = new HpackEncoder()
  /** Where the flags of the last DATA frame are; they can be changed as long as the buffer's epoch is the same. */
  dataFlagsAt = 0
  #dataId = 0
  #dataEnd = 0
  #dataEpoch = -1

  preface(): void {
    const { buffer } = this
    buffer.begin(clientPreface.length)
    buffer.length += buffer.bytes.write(clientPreface, buffer.length, 'latin1')
  }

  /** Name and value of each setting. */
  settings(entries: readonly (readonly [number, number])[]): void {
    this.#frame(settingsFrame, 0, 0, entries.length * 6)
    for (const [name, value] of entries) {
      this.#uint16(name)
      this.#uint32(value)
    }
  }

  settingsAck(): void {
    this.#frame(settingsFrame, ackFlag, 0, 0)
  }

  ping(payload: Buffer, from: number, flags: number): void {
    this.#frame(pingFrame, flags, 0, 8)
    const { buffer } = this
    buffer.length += payload.copy(buffer.bytes, buffer.length, from, from + 8)
  }

  goaway(lastId: number, code: number, debug: string): void {
    const text = debug.slice(0, maxDebugBytes)
    this.#frame(goawayFrame, 0, 0, 8 + text.length)
    this.#uint32(lastId)
    this.#uint32(code)
    const { buffer } = this
    buffer.length += buffer.bytes.write(text, buffer.length, 'latin1')
  }

  reset(id: number, code: number): void {
    this.#frame(resetFrame, 0, id, 4)
    this.#uint32(code)
  }

  windowUpdate(id: number, by: number): void {
    this.#frame(windowUpdateFrame, 0, id, 4)
    this.#uint32(by)
  }

  /** One header block with all of its frames; `extras` are fields of this hop. */
  headers(
    id: number,
    pseudo: readonly string[],
    headers: HeaderList,
    endStream: boolean,
    extras: readonly string[] = noFields,
  ): void {
    const { buffer, encoder } = this
    buffer.begin(frameHeaderBytes + usualBlockBytes)
    const at = buffer.length
    buffer.length += frameHeaderBytes
    if (headers instanceof HeaderFields) {
      encoder.encode(pseudo, headers.fields, buffer, headers.source.neverIndexed)
      const { addedLines } = headers
      if (addedLines !== '') encoder.encode(noFields, fieldsIn(addedLines), buffer)
    } else {
      encoder.encode(pseudo, headers.entries(), buffer)
    }
    if (extras.length > 0) encoder.encode(noFields, extras, buffer)
    this.#finishHead(at, id, endStream)
  }

  /** One head, as text, with all of its frames. */
  text(id: number, text: string, endStream: boolean): void {
    const { buffer } = this
    buffer.begin(frameHeaderBytes + text.length)
    const at = buffer.length
    buffer.length += frameHeaderBytes
    buffer.length += buffer.bytes.latin1Write(text, buffer.length)
    this.#finishHead(at, id, endStream)
  }

  /** DATA out of buffer[from, to), at most a frame's size. */
  data(id: number, bytes: Buffer, from: number, to: number, endStream: boolean): void {
    this.#frame(dataFrame, endStream ? endStreamFlag : 0, id, to - from)
    const { buffer } = this
    this.dataFlagsAt = buffer.length - frameHeaderBytes + 4
    if (to > from) buffer.length += bytes.copy(buffer.bytes, buffer.length, from, to)
    this.#dataId = id
    this.#dataEnd = buffer.length
    this.#dataEpoch = buffer.epoch
  }

  /**
   * Adds bytes of buffer[from, to) to the DATA frame that was written last, if it is of the same stream and has room;
   * returns how many. Content comes in the pieces of TLS records, and a frame for each would be two for each.
   */
  addToData(id: number, bytes: Buffer, from: number, to: number): number {
    const { buffer } = this
    if (id !== this.#dataId || buffer.length !== this.#dataEnd || buffer.epoch !== this.#dataEpoch) return 0
    const at = this.dataFlagsAt - 4
    const length = buffer.length - at - frameHeaderBytes
    const count = Math.min(to - from, maxDataBytes - length, buffer.bytes.length - buffer.length)
    if (count <= 0) return 0
    this.#dataEnd = buffer.length += bytes.copy(buffer.bytes, buffer.length, from, from + count)
    writeLength(buffer.bytes, at, length + count)
    return count
  }

  /** DATA of latin1 text, at most a frame's size, which ends the stream. */
  lastText(id: number, text: string): void {
    this.#frame(dataFrame, endStreamFlag, id, text.length)
    const { buffer } = this
    buffer.length += buffer.bytes.latin1Write(text, buffer.length)
  }

  /** Makes the DATA frame whose flags are at `flagsAt` the last one of its stream. */
  endWithData(flagsAt: number): void {
    this.buffer.bytes[flagsAt] = endStreamFlag
  }

  #finishHead(at: number, id: number, endStream: boolean): void {
    const { buffer } = this
    const length = buffer.length - at - frameHeaderBytes
    const flags = endStream ? endStreamFlag : 0
    if (length > maxFrameBytes) this.#continued(at, length, id, flags)
    else writeFrameHeader(buffer.bytes, at, length, headersFrame, flags | endHeadersFlag, id)
  }

  #frame(type: number, flags: number, id: number, length: number): void {
    const { buffer } = this
    buffer.begin(frameHeaderBytes + length)
    writeFrameHeader(buffer.bytes, buffer.length, length, type, flags, id)
    buffer.length += frameHeaderBytes
  }

  /** Cuts the block that was written behind `at` into frames. */
  #continued(at: number, length: number, id: number, flags: number): void {
    const { buffer } = this
    const start = at + frameHeaderBytes
    const block = Buffer.from(buffer.bytes.subarray(start, start + length))
    buffer.length = at
    for (let from = 0; from < length; from += maxFrameBytes) {
      const to = Math.min(length, from + maxFrameBytes)
      const end = to === length ? endHeadersFlag : 0
      if (from === 0) this.#frame(headersFrame, flags | end, id, to - from)
      else this.#frame(continuationFrame, end, id, to - from)
      buffer.length += block.copy(buffer.bytes, buffer.length, from, to)
    }
  }

  #uint16(value: number): void {
    const { buffer } = this
    buffer.length = buffer.bytes.writeUInt16BE(value, buffer.length)
  }

  #uint32(value: number): void {
    const { buffer } = this
    buffer.length = buffer.bytes.writeUInt32BE(value, buffer.length)
  }
}

/** Filled anew for each message. */
const added: string[] = []

/** The fields of `lines`, until it is called again. */
function fieldsIn(lines: string): readonly string[] {
  let count = 0
  for (let at = 0; at < lines.length; ) {
    const colon = lines.indexOf(':', at)
    const end = lines.indexOf('\r\n', colon)
    added[count++] = lines.slice(at, colon)
    added[count++] = lines.slice(colon + 2, end)
    at = end + 2
  }
  if (added.length > count) added.length = count
  return added
}

function writeFrameHeader(
  bytes: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  id: number,
): void {
  writeLength(bytes, at, length)
  bytes[at + 3] = type
  bytes[at + 4] = flags
  bytes[at + 5] = id >> 24
  bytes[at + 6] = id >> 16
  bytes[at + 7] = id >> 8
  bytes[at + 8] = id
}

function writeLength(bytes: Buffer, at: number, length: number): void {
  bytes[at] = length >> 16
  bytes[at + 1] = length >> 8
  bytes[at + 2] = length
}
