/** Decodes the chunked transfer coding (RFC 9112 section 7.1) byte by byte over any split of its bytes, strictly. */
import { Buffer } from 'node:buffer'
import { HeaderList } from '../header-list.ts'
import { type ExtensionState, nextExtensionState } from './chunk-extension.ts'
import { parseFields } from './fields.ts'
import { HeadSource } from './head-source.ts'
import { maxChunkExtensionBytes, maxChunkLineBytes } from './limits.ts'
import { LineBlock } from './line-block.ts'
import { WireError } from './wire-error.ts'

type State =
  | 'size'
  | 'extension'
  | 'sizeLineFeed'
  | 'data'
  | 'dataReturn'
  | 'dataLineFeed'
  | 'trailers'
  | 'done'

const carriageReturn = 0x0d
const lineFeed = 0x0a
/** 8 hex digits are 4 GiB in one chunk; more digits are an attack on somebody's integer. */
const maxSizeDigits = 8

/**
 * A trailer may not frame, route, authorise or control the message (RFC 9110 6.5.1): whoever merges trailers into the
 * head would act on it. What ends at this hop is gone already.
 */
const forbiddenTrailers =
  /^(?:host|trailer|transfer-encoding|authorization|www-authenticate|cookie|set-cookie|cache-control|pragma|age|date|expires|vary|location|retry-after|warning|max-forwards|range|via|forwarded|traceparent|(?:content|if|x-forwarded|weft)-.*)$/i

const noTrailers = new HeaderList()

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/**
 * What the decoder hands over: content, at most one piece for each call of `decode`, then the end with the trailers that
 * may be forwarded.
 */
export type ChunkedReceiver = {
  onData(buffer: Buffer, start: number, end: number): void
  onFinish(trailers: HeaderList): void
}

export class ChunkedDecoder {
  readonly #status: number
  #state: State = 'size'
  #remaining = 0
  #digits = 0
  #lineBytes = 0
  #extensionBytes = 0
  #extension: ExtensionState = 'name'
  #trailers: LineBlock | undefined

  /** `status` goes into the WireError: 400 for a request, 502 for a response. */
  constructor(status: number) {
    this.#status = status
  }

  get done(): boolean {
    return this.#state === 'done'
  }

  /**
   * Decodes buffer[start, end) and returns the index of the first byte that is not part of this message (`end` when it
   * goes on). The content is moved together at the place of its first chunk, so that thousands of small chunks cost as
   * much as one. Throws WireError at the first byte that breaks the grammar.
   */
  decode(buffer: Buffer, start: number, end: number, receiver: ChunkedReceiver): number {
    let position = start
    let contentStart = start
    let contentEnd = start
    while (position < end && this.#state !== 'done') {
      if (this.#state === 'data') {
        const stop = Math.min(end, position + this.#remaining)
        this.#remaining -= stop - position
        if (this.#remaining === 0) this.#state = 'dataReturn'
        if (contentEnd === contentStart) contentStart = contentEnd = position
        else buffer.copyWithin(contentEnd, position, stop)
        contentEnd += stop - position
        position = stop
      } else if (this.#state === 'trailers') {
        if (contentEnd > contentStart) receiver.onData(buffer, contentStart, contentEnd)
        contentEnd = contentStart
        position = this.#takeTrailers(buffer, position, end, receiver)
      } else {
        this.#takeByte(buffer[position] as number)
        position++
      }
    }
    if (contentEnd > contentStart) receiver.onData(buffer, contentStart, contentEnd)
    return position
  }

  #takeByte(byte: number): void {
    switch (this.#state) {
      case 'size':
        return this.#takeSize(byte)
      case 'extension':
        return this.#takeExtension(byte)
      case 'sizeLineFeed':
        this.#expect(byte, lineFeed)
        this.#startChunk()
        return
      case 'dataReturn':
        this.#expect(byte, carriageReturn)
        this.#state = 'dataLineFeed'
        return
      case 'dataLineFeed':
        this.#expect(byte, lineFeed)
        this.#state = 'size'
        this.#digits = 0
        this.#lineBytes = 0
        return
      case 'data':
      case 'trailers':
      case 'done':
        throw new WireError(this.#status, 'chunk decoder out of step')
    }
  }

  #takeSize(byte: number): void {
    const value = hexValue(byte)
    if (value >= 0) {
      if (++this.#digits > maxSizeDigits) throw new WireError(this.#status, 'chunk size has too many digits')
      this.#remaining = this.#digits === 1 ? value : this.#remaining * 16 + value
      return
    }
    if (this.#digits === 0) throw new WireError(this.#status, 'malformed chunk size')
    if (byte === carriageReturn) this.#state = 'sizeLineFeed'
    else if (byte === 0x3b) this.#startExtension()
    else throw new WireError(this.#status, 'malformed chunk size')
  }

  #startExtension(): void {
    this.#state = 'extension'
    this.#extension = 'name'
  }

  #takeExtension(byte: number): void {
    const next = nextExtensionState(this.#extension, byte)
    if (next === undefined) throw new WireError(this.#status, 'malformed chunk extension')
    this.#extension = next
    if (next === 'done') {
      this.#state = 'sizeLineFeed'
      return
    }
    this.#lineBytes++
    this.#extensionBytes++
    if (this.#lineBytes > maxChunkLineBytes || this.#extensionBytes > maxChunkExtensionBytes) {
      throw new WireError(this.#status, 'chunk extensions are too long')
    }
  }

  #startChunk(): void {
    this.#state = this.#remaining === 0 ? 'trailers' : 'data'
  }

  #expect(byte: number, expected: number): void {
    if (byte !== expected) throw new WireError(this.#status, 'malformed end of chunk')
  }

  #takeTrailers(buffer: Buffer, position: number, end: number, receiver: ChunkedReceiver): number {
    const none =
      buffer[position] === carriageReturn && position + 1 < end && buffer[position + 1] === lineFeed
    if (none && this.#trailers === undefined) {
      this.#state = 'done'
      receiver.onFinish(noTrailers)
      return position + 2
    }
    this.#trailers ??= new LineBlock(this.#status, this.#status === 400 ? 431 : 502)
    const after = this.#trailers.take(buffer, position, end)
    if (after === -1) return end
    this.#state = 'done'
    receiver.onFinish(parseTrailers(sourceOf(this.#trailers.release()), this.#status))
    return after
  }
}

function sourceOf(bytes: Buffer): HeadSource {
  const source = new HeadSource(bytes)
  source.set(bytes, 0, bytes.length, bytes.latin1Slice(0, bytes.length))
  return source
}

/** The trailers that are all of `source`, as far as they may go on. Throws WireError(status). */
export function parseTrailers(source: HeadSource, status: number): HeaderList {
  const fields = parseFields(source, status)
  if (fields === undefined) throw new WireError(status, 'malformed trailers')
  const entries = fields.headers.entries()
  const kept = new HeaderList()
  for (let i = 0; i < entries.length; i += 2) {
    const name = entries[i] as string
    // An application that takes `_` for `-` would believe `Weft_Client_Id`.
    if (!forbiddenTrailers.test(name.replaceAll('_', '-'))) kept.append(name, entries[i + 1] as string)
  }
  return kept
}
