/**
 * Heads between two sidecars, of messages that are HTTP/1 at both ends: as HTTP/1 writes them. What one of them reads
 * the other has written, so that nothing has to be translated twice: names keep their case, and the parser is the one
 * that reads them from everybody.
 */
import type { Buffer } from 'node:buffer'
import { type BodyLength, chunked, untilClose } from '../body.ts'
import type { Exchange } from '../exchange.ts'
import { framed } from '../header-fields.ts'
import type { HeaderList } from '../header-list.ts'
import { parseTrailers } from '../http1/chunked-decoder.ts'
import { HeadSource } from '../http1/head-source.ts'
import { parseRequestHead, type RequestHead } from '../http1/request-head.ts'
import { parseResponseHead, type ResponseHead } from '../http1/response-head.ts'
import { requestHeadText, serializeResponseHead } from '../http1/serialize.ts'
import { WireError } from '../http1/wire-error.ts'
import type { FrameOutput } from './frame-output.ts'
import type { HeadForm, IncomingReply, IncomingRequest, Malformed, OutgoingReply } from './head-form.ts'
import { maxTextHeadBytes } from './limits.ts'

const incomplete: Malformed = { reason: 'malformed head' }
const asChunks = 'Transfer-Encoding: chunked\r\n'

/** Where a head lies. */
export class TextBlock {
  readonly source: HeadSource

  constructor(buffer: Buffer) {
    this.source = new HeadSource(buffer)
  }

  /** As HeaderBlock's. */
  get listBytes(): number {
    return this.source.end - this.source.position
  }
}

class TextRequest implements IncomingRequest {
  readonly #head: RequestHead
  readonly contentLength: number
  readonly expects: IncomingRequest['expects']
  readonly upgrade = undefined
  readonly tunnel = undefined
  readonly http2 = false
  readonly isGrpc = false
  framing: BodyLength = framed

  constructor(head: RequestHead) {
    this.#head = head
    this.contentLength = head.bodyLength
    this.expects = head.expectContinue ? 'continue' : undefined
  }

  get method(): string {
    return this.#head.method
  }

  get target(): string {
    return this.#head.target
  }

  get authority(): string {
    return this.#head.authority
  }

  get absoluteForm(): boolean {
    return this.#head.absoluteForm
  }

  get headers(): HeaderList {
    const { headers, bodyLength } = this.#head
    // Nothing is left to be framed: no last chunk will be written, and the application would wait for it.
    return asFramed(headers, bodyLength, this.framing === framed ? 0 : this.framing)
  }

  get acceptsTrailers(): boolean {
    return this.#head.acceptsTrailers
  }
}

class TextReply implements IncomingReply {
  readonly #head: ResponseHead
  readonly contentLength: number
  readonly openLength = chunked

  constructor(head: ResponseHead) {
    this.#head = head
    this.contentLength = head.bodyLength
  }

  get status(): number {
    return this.#head.status
  }

  get reason(): string {
    return this.#head.reason
  }

  headers(framing: BodyLength): HeaderList {
    const { headers, bodyLength } = this.#head
    return asFramed(headers, bodyLength, framing)
  }
}

/** A body that came in chunks and is all there has a length now. */
function asFramed(headers: HeaderList, bodyLength: BodyLength, framing: BodyLength): HeaderList {
  if (bodyLength !== chunked || framing < 0) return headers
  headers.remove('transfer-encoding')
  headers.append('Content-Length', String(framing))
  return headers
}

/** What is said of a head that is not as it should be; what is no fault of the head is thrown. */
function reasonFor(error: unknown): string {
  if (error instanceof WireError) return error.message
  throw error
}

export class TextForm implements HeadForm {
  readonly takesWebSockets = false
  #block: TextBlock | undefined

  decode(buffer: Buffer, from: number, to: number): TextBlock | undefined {
    if (to - from > maxTextHeadBytes) return undefined
    const block = (this.#block ??= new TextBlock(buffer))
    block.source.set(buffer, from, to, buffer.latin1Slice(from, to))
    return block
  }

  request({ source }: TextBlock): IncomingRequest | Malformed {
    try {
      const head = parseRequestHead(source)
      if (head === undefined || source.position !== source.end) return incomplete
      // It would need the connection for itself.
      return head.upgrade === undefined ? new TextRequest(head) : { reason: 'an upgrade among other streams' }
    } catch (error) {
      return { reason: reasonFor(error) }
    }
  }

  reply({ source }: TextBlock, method: string): IncomingReply | string {
    try {
      const head = parseResponseHead(source, method)
      if (head === undefined || source.position !== source.end) return incomplete.reason
      const endless = head.bodyLength === untilClose || head.status === 101
      return endless ? 'a reply that only its connection could end' : new TextReply(head)
    } catch (error) {
      return reasonFor(error)
    }
  }

  trailers({ source }: TextBlock): HeaderList | string {
    try {
      return parseTrailers(source, 400)
    } catch (error) {
      return reasonFor(error)
    }
  }

  writeRequest(out: FrameOutput, id: number, x: Exchange, endStream: boolean): void {
    out.text(id, requestHeadText(x), endStream)
  }

  writeReply(out: FrameOutput, id: number, reply: OutgoingReply, endStream: boolean): void {
    const { status, reason, headers, bodyLength } = reply
    const hopFields = bodyLength === untilClose ? asChunks : ''
    out.text(id, serializeResponseHead(status, reason, headers, hopFields), endStream)
  }

  writeTrailers(out: FrameOutput, id: number, trailers: HeaderList): void {
    out.text(id, `${trailers.lines}\r\n`, true)
  }
}
