/**
 * One client connection speaking HTTP/1.x: reads requests one after the other, writes their replies. Longer than other
 * files, because it is one state machine and its states are best read together.
 */
import { Buffer } from 'node:buffer'
import { Body, type BodySource, chunked, untilClose } from '../body.ts'
import {
  type Downstream,
  Exchange,
  type Handler,
  type Receiver,
  type Reply,
  type ResponseFlag,
} from '../exchange.ts'
import { HeaderList } from '../header-list.ts'
import { drainGraceMs } from '../listen/connections.ts'
import type { Wire, WireReader } from '../listen/wire.ts'
import type { Admission } from '../overload/admission.ts'
import { BodyReader } from './body-reader.ts'
import { BodyWriter } from './body-writer.ts'
import { HeadCollector } from './head-collector.ts'
import { maxPipelinedBytes } from './limits.ts'
import { parseProxyRequestHead, parseRequestHead, type RequestHead } from './request-head.ts'
import { serializeResponseHead } from './serialize.ts'
import { statusText } from './status-text.ts'
import { WireError } from './wire-error.ts'

/** Requests and replies with bodies up to this size that arrive at once are one string, read and written once. */
export const inlineBodyBytes = 16 * 1024

export type ServerConnectionOptions = {
  readonly handler: Handler
  /** Answers CONNECT with a tunnel, or says why not; undefined: it is refused. */
  readonly connect: Handler | undefined
  readonly downstream: Downstream
  readonly admission: Admission
  readonly nowMs: () => number
  /** From the first byte of a head to its last. */
  readonly headTimeoutMs: number
  /** Between requests. */
  readonly idleTimeoutMs: number
  /** Without a byte of a request body that is being read, and while the client reads nothing of what it is sent. */
  readonly streamIdleTimeoutMs: number
  /** The client broke the protocol; it gets `error.status`. `began`: in an exchange, which is logged as such. */
  readonly onViolation: (error: WireError, began: boolean) => void
  /** An exchange is over that something was wrong with, or a request was refused before it became one. */
  readonly onFlag: (flag: ResponseFlag) => void
  /** An upgrade was accepted by the application: both sockets are handed over. */
  readonly onTunnel: (client: Wire, reply: Reply, early: Buffer) => void
  readonly onClosed: (connection: ServerConnection) => void
}

const maxPieces = 64
const never = Number.POSITIVE_INFINITY
/** How long a refused client may go on sending before its connection is cut: long enough for it to read why. */
const lingerMs = 1000

export class ServerConnection implements WireReader, BodySource, Receiver {
  readonly #wire: Wire
  readonly #options: ServerConnectionOptions
  readonly #heads: HeadCollector<RequestHead>
  readonly #onInterim = (status: number, headers: HeaderList): void => this.#writeInterim(status, headers)
  #exchange: Exchange | undefined
  #request: RequestHead | undefined
  #bodyReader: BodyReader | undefined
  #writer: BodyWriter | undefined
  #pipelined: Buffer[] = []
  #pipelinedBytes = 0
  /** How much there was of an empty line before the next head. */
  #emptyLineBytes = 0
  #continueOwed = false
  #keepAlive = true
  #draining = false
  #clientEnded = false
  #closing = false
  #processing = false
  /** Replies wait for the client to read: it gets no further ones made until it has. */
  #crowded = false
  /** What the kernel had taken for the client when it last took anything, and when that was. */
  #takenBytes = 0
  #takenMs = 0
  /** When `onDeadline` is due, by the clock of the options. */
  deadlineMs: number

  constructor(wire: Wire, options: ServerConnectionOptions) {
    this.#wire = wire
    this.#options = options
    const parse = options.connect === undefined ? parseRequestHead : parseProxyRequestHead
    this.#heads = new HeadCollector<RequestHead>(parse, 400, 431, 414)
    this.deadlineMs = options.nowMs() + options.headTimeoutMs
  }

  get idle(): boolean {
    return this.#exchange === undefined
  }

  get draining(): boolean {
    return this.#draining
  }

  /** Nothing is in flight, and nothing pipelined waits for its turn: what comes may come before any of that has it. */
  #isFree(): boolean {
    return this.#exchange === undefined && !this.#processing && !this.#crowded
  }

  /** A client that was in the middle of a reply when a drain began was not told that it is the last one. */
  #idleMs(): number {
    return this.#draining ? drainGraceMs : this.#options.idleTimeoutMs
  }

  /** Finishes what is in flight, or what comes soon, and closes. */
  drain(): void {
    this.#draining = true
    if (this.#exchange !== undefined || this.#heads.pending || this.#closing) return
    this.deadlineMs = Math.min(this.deadlineMs, this.#options.nowMs() + drainGraceMs)
  }

  destroy(): void {
    this.#wire.destroy()
  }

  /** Called by the sweep once `deadlineMs` has passed. */
  onDeadline(): void {
    this.deadlineMs = never
    if (this.#closing) this.#onLingerDeadline()
    else if (this.#exchange !== undefined) this.#onStreamDeadline()
    else if (this.#heads.pending) this.#refuse(new WireError(408, 'the request head took too long'))
    else if (this.#draining) this.#close()
    else this.#wire.destroy()
  }

  /** For the bytes of a head that came before this connection began. */
  headBeganAt(ms: number): void {
    if (this.#heads.pending) this.deadlineMs = ms + this.#options.headTimeoutMs
  }

  onBytes(buffer: Buffer, start: number, end: number): void {
    if (this.#closing) return
    if (this.#isFree()) this.#readHead(buffer, start, end)
    else if (this.#bodyReader !== undefined) this.#readBody(buffer, start, end)
    else this.#hold(buffer, start, end)
  }

  onEnd(): void {
    this.#clientEnded = true
    if (this.#isFree()) {
      this.#close()
    } else if (this.#bodyReader !== undefined) {
      // The rest of the body will never come; half of it must not look like all of it.
      this.#breakOff(new Error('client ended in the middle of its request'))
    }
  }

  onClose(): void {
    this.deadlineMs = never
    this.#abandon(new Error('client went away'))
    this.#options.onClosed(this)
  }

  /** For the handler: what to answer. Comes too late when the exchange was given up before. */
  onReply(x: Exchange, reply: Reply): void {
    if (x === this.#exchange) this.#writeReply(x, reply)
    else reply.body.fail(new Error('client went away'))
  }

  onFailure(x: Exchange, error: unknown): void {
    if (x === this.#exchange) this.#breakOff(error as Error)
  }

  onDrain(): void {
    this.#writer?.onDrain()
    if (!this.#crowded) return
    this.#crowded = false
    if (this.#exchange !== undefined || this.#closing) return
    this.deadlineMs = this.#options.nowMs() + this.#idleMs()
    this.#wire.resume()
    if (this.#pipelined.length > 0) this.#next()
    else if (this.#clientEnded) this.#close()
  }

  pauseBody(): void {
    this.#wire.pause()
    if (this.#writer === undefined) this.deadlineMs = never
  }

  resumeBody(): void {
    this.deadlineMs = this.#options.nowMs() + this.#options.streamIdleTimeoutMs
    this.#wire.resume()
  }

  #readHead(buffer: Buffer, start: number, end: number): void {
    try {
      const from = this.#skipEmptyLine(buffer, start, end)
      if (from === end) return
      const fresh = !this.#heads.pending
      const after = this.#heads.take(buffer, from, end)
      if (after === -1) {
        if (fresh) this.deadlineMs = this.#options.nowMs() + this.#options.headTimeoutMs
        return
      }
      this.#startExchange(this.#heads.head as RequestHead, buffer, after, end)
    } catch (error) {
      this.#refuse(error instanceof WireError ? error : new WireError(400, String(error)))
    }
  }

  /** RFC 9112 2.2: one empty line before a request is forgiven. */
  #skipEmptyLine(buffer: Buffer, start: number, end: number): number {
    let from = start
    if (this.#emptyLineBytes === 0 && !this.#heads.pending && buffer[from] === 0x0d) {
      this.#emptyLineBytes = 1
      from++
    }
    if (this.#emptyLineBytes !== 1 || from === end) return from
    if (buffer[from] !== 0x0a) throw new WireError(400, 'bare CR')
    this.#emptyLineBytes = 2
    return from + 1
  }

  #startExchange(request: RequestHead, buffer: Buffer, after: number, end: number): void {
    const { nowMs, downstream } = this.#options
    let { handler } = this.#options
    this.deadlineMs = never
    this.#request = request
    this.#emptyLineBytes = 0
    this.#keepAlive = request.keepAlive
    const available = end - after
    const { bodyLength } = request
    let body: Body
    let consumed = after
    if (bodyLength === 0) {
      body = Body.empty
    } else if (bodyLength > 0 && bodyLength <= available && bodyLength <= inlineBodyBytes) {
      consumed = after + bodyLength
      body = Body.of(this.#heads.textAfter(buffer, after, consumed))
    } else if (bodyLength === untilClose) {
      body = Body.empty
      handler = this.#options.connect ?? handler
      // Without a tunnel nobody knows what the bytes are that follow.
      this.#keepAlive = false
    } else {
      body = new Body(bodyLength, this)
      this.#bodyReader = new BodyReader(body, 400)
    }
    const now = nowMs()
    const exchange = new Exchange(downstream, request, body, now)
    // Whether to go on is the application's to say (RFC 9110 10.1.1); a client that did not wait needs no answer.
    exchange.expectsContinue = this.#continueOwed = request.expectContinue && available === 0
    if (request.versionMinor === 1) exchange.interim = this.#onInterim
    this.#exchange = exchange
    if (this.#bodyReader !== undefined) {
      this.deadlineMs = now + this.#options.streamIdleTimeoutMs
      if (consumed < end) this.#readBody(buffer, consumed, end)
    } else if (consumed < end) {
      this.#hold(buffer, consumed, end)
    }
    // Last: the reply may be there when it returns. Not at all, where the body's beginning was refused.
    if (this.#exchange === exchange) handler(exchange, this)
  }

  #readBody(buffer: Buffer, start: number, end: number): void {
    const reader = this.#bodyReader as BodyReader
    try {
      if (this.deadlineMs !== never)
        this.deadlineMs = this.#options.nowMs() + this.#options.streamIdleTimeoutMs
      const after = reader.read(buffer, start, end)
      if (!reader.done) return
      this.#bodyReader = undefined
      if (this.#writer === undefined) this.deadlineMs = never
      if (after < end) this.#hold(buffer, after, end)
      if (this.#exchange === undefined) this.#next()
    } catch (error) {
      this.#breakOff(error as Error)
    }
  }

  /** Bytes of the next request, or of a tunnel, while this one is in flight. */
  #hold(buffer: Buffer, start: number, end: number): void {
    const { upgrade, bodyLength } = this.#request as RequestHead
    if (!this.#keepAlive && upgrade === undefined && bodyLength !== untilClose) return
    this.#pipelined.push(Buffer.from(buffer.subarray(start, end)))
    this.#pipelinedBytes += end - start
    // A byte in a piece of its own would cost a hundred times what is counted here.
    if (this.#pipelined.length === maxPieces) this.#pipelined = [Buffer.concat(this.#pipelined)]
    if (this.#pipelinedBytes > maxPipelinedBytes) this.#wire.pause()
  }

  #writeInterim(status: number, headers: HeaderList): void {
    if (status === 100) {
      if (!this.#continueOwed) return
      this.#continueOwed = false
    }
    this.#wire.writeText(serializeResponseHead(status, statusText(status), headers, ''))
  }

  #writeReply(exchange: Exchange, reply: Reply): void {
    if (reply.tunnel !== undefined) {
      this.#openTunnel(exchange, reply)
      return
    }
    const { body, headers } = reply
    const oldClient = this.#request?.versionMinor === 0
    const openEnded = body.length === untilClose || body.length === chunked
    const asChunks = openEnded && !oldClient
    if (oldClient) headers.remove('transfer-encoding')
    if (this.#mustClose(reply, openEnded && oldClient)) this.#keepAlive = false
    let hopFields = body.length === untilClose && asChunks ? 'Transfer-Encoding: chunked\r\n' : ''
    if (!this.#keepAlive) hopFields += 'Connection: close\r\n'
    else if (oldClient) hopFields += 'Connection: keep-alive\r\n'
    const head = serializeResponseHead(reply.status, reply.reason, headers, hopFields)
    if (body.inline !== undefined && !asChunks) {
      const content = exchange.method === 'HEAD' ? '' : body.inline
      this.#crowded = !this.#wire.writeText(content === '' ? head : head + content)
      this.#finish(exchange, reply, content.length)
      return
    }
    this.#streamReply(exchange, reply, head, asChunks)
  }

  #streamReply(exchange: Exchange, reply: Reply, head: string, asChunks: boolean): void {
    const writer = new BodyWriter(this.#wire, reply.body, {
      chunked: asChunks,
      forwardTrailers: this.#request?.acceptsTrailers === true,
      onEnd: () => this.#finish(exchange, reply, writer.sentBytes),
      // Where the connection's end is the body's end, an ordinary end would make the part look whole.
      onAbort: () => (reply.body.length < 0 && !asChunks ? this.#wire.reset() : this.#wire.destroy()),
    })
    this.#writer = writer
    this.#watchReader(this.#options.streamIdleTimeoutMs)
    this.#wire.writeText(head)
    writer.start()
  }

  #mustClose(reply: Reply, endsWithConnection: boolean): boolean {
    if (this.#draining || endsWithConnection) return true
    // After its FIN a client is still owed what it had pipelined.
    if (this.#clientEnded && this.#pipelined.length === 0) return true
    // An upgrade was refused that the client took for granted: what it has sent since is in no known protocol.
    if (this.#request?.upgrade !== undefined && this.#pipelined.length > 0) return true
    if (reply.headers.get('connection') === 'close') return true
    const { admission, downstream } = this.#options
    if (admission.closing && admission.closes(downstream.meshTls)) return true
    if (this.#bodyReader === undefined) return false
    // Before the whole request was read: what follows may be megabytes that nobody wants, or, where the client waits to
    // be told to go on, the next request.
    return reply.status >= 400 || reply.body.complete || this.#continueOwed
  }

  #finish(exchange: Exchange, reply: Reply, sentBytes: number): void {
    const wasStreamed = this.#writer !== undefined
    this.#exchange = undefined
    this.#writer = undefined
    this.#done(exchange, reply, sentBytes)
    if (this.#bodyReader !== undefined) {
      // The reply is complete before its request: nobody reads the rest.
      this.#keepAlive = false
      exchange.body.stop()
    }
    if (!this.#keepAlive) {
      this.#close()
      return
    }
    if (this.#crowded) {
      this.#wire.pause()
      this.deadlineMs = this.#options.nowMs() + this.#options.streamIdleTimeoutMs
      return
    }
    this.deadlineMs = (wasStreamed ? this.#options.nowMs() : exchange.nowMs) + this.#idleMs()
    if (this.#pipelined.length > 0) this.#next()
    else if (this.#clientEnded) this.#close()
  }

  /** Serves what was pipelined; a loop, because replies may be there at once. */
  #next(): void {
    if (this.#processing || this.#pipelined.length === 0) return
    this.#processing = true
    queueMicrotask(() => {
      this.#processing = false
      if (this.#closing || this.#wire.closed || this.#exchange !== undefined) return
      const held =
        this.#pipelined.length === 1 ? (this.#pipelined[0] as Buffer) : Buffer.concat(this.#pipelined)
      this.#pipelined = []
      this.#pipelinedBytes = 0
      this.#wire.resume()
      this.onBytes(held, 0, held.length)
      // Whatever is not there by now will never come.
      if (this.#clientEnded) this.onEnd()
    })
  }

  #openTunnel(exchange: Exchange, reply: Reply): void {
    const early = Buffer.concat(this.#pipelined)
    this.#pipelined = []
    const upgrade = this.#request?.upgrade
    const hopFields = upgrade === undefined ? '' : `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`
    this.#wire.writeText(serializeResponseHead(reply.status, reply.reason, reply.headers, hopFields))
    this.#exchange = undefined
    this.deadlineMs = never
    this.#done(exchange, reply, 0)
    this.#options.onTunnel(this.#wire, reply, early)
    this.#options.onClosed(this)
  }

  /** A request that cannot be read: answer, let the client read the answer, cut. */
  #refuse(error: WireError, exchange?: Exchange): void {
    this.#bodyReader = undefined
    if (exchange === undefined) this.#options.onFlag(error.flag)
    this.#options.onViolation(error, exchange !== undefined)
    const text = `${error.code}: ${error.message}\n`
    const headers = HeaderList.of('Content-Type', 'text/plain', 'Content-Length', String(text.length))
    headers.append('weft-error', error.flag)
    this.#wire.writeText(
      serializeResponseHead(error.status, statusText(error.status), headers, 'Connection: close\r\n') + text,
    )
    this.#close()
  }

  /** The exchange cannot come to a good end: whatever was sent must not look complete. */
  #breakOff(error: Error): void {
    const exchange = this.#exchange
    const answerable = exchange !== undefined && this.#writer === undefined
    // The client's own fault, and not that it went away.
    if (exchange !== undefined && error instanceof WireError) exchange.flag = error.flag
    this.#abandon(error)
    if (error instanceof WireError && answerable) this.#refuse(error, exchange)
    else this.#wire.destroy()
  }

  #done(exchange: Exchange, reply: Reply | undefined, sentBytes: number): void {
    exchange.done(reply, sentBytes)
    if (exchange.flag !== '') this.#options.onFlag(exchange.flag)
  }

  /** Gives up the exchange in flight; what is still told of it comes too late. */
  #abandon(error: Error): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    this.#exchange = undefined
    exchange.body.fail(error)
    exchange.abort(error)
    this.#done(exchange, undefined, this.#writer?.sentBytes ?? 0)
  }

  #close(): void {
    this.#wire.end()
    this.#linger()
  }

  /** Waits for the client's FIN, so that a RST does not overtake the reply. */
  #linger(): void {
    this.#closing = true
    this.#pipelined = []
    this.#wire.resume()
    this.#watchReader(lingerMs)
  }

  /** From now on the client has to read what it is sent. */
  #watchReader(timeoutMs: number): void {
    const now = this.#options.nowMs()
    this.#takenBytes = this.#wire.takenBytes
    this.#takenMs = now
    this.deadlineMs = now + timeoutMs
  }

  /** The client has room, or took some of what waits for it not long ago. */
  #clientReads(): boolean {
    const { takenBytes, unsentBytes } = this.#wire
    if (takenBytes !== this.#takenBytes) this.#watchReader(this.#options.streamIdleTimeoutMs)
    return unsentBytes === 0 || this.#options.nowMs() - this.#takenMs < this.#options.streamIdleTimeoutMs
  }

  #onStreamDeadline(): void {
    if (this.#writer === undefined) this.#breakOff(new WireError(408, 'the request body took too long'))
    else if (this.#clientReads()) this.deadlineMs = this.#options.nowMs() + this.#options.streamIdleTimeoutMs
    else this.#wire.reset()
  }

  /** A reply that is complete here may still have a long way to a slow reader; it is not cut while it moves. */
  #onLingerDeadline(): void {
    const moved = this.#wire.takenBytes !== this.#takenBytes
    if (this.#clientReads() && (moved || this.#wire.unsentBytes > 0))
      this.deadlineMs = this.#options.nowMs() + lingerMs
    else this.#wire.destroy()
  }
}
