/** One request of a client: becomes an exchange, and writes its reply. */
import { Body, type BodyLength, chunked } from '../body.ts'
import { Exchange, type Receiver, type Reply } from '../exchange.ts'
import { grpcCallOf } from '../grpc/grpc-call.ts'
import { framed } from '../header-fields.ts'
import type { HeaderList } from '../header-list.ts'
import { statusText } from '../http1/status-text.ts'
import { WireError } from '../http1/wire-error.ts'
import { localReply } from '../local-reply.ts'
import { UpstreamFailure } from '../upstream-failure.ts'
import { StreamFault, StreamReset } from './faults.ts'
import { errorCode } from './frame-types.ts'
import type { HeadBlock, IncomingRequest, OutgoingReply } from './head-form.ts'
import { IncomingContent } from './incoming-content.ts'
import type { Http2ServerConnection } from './server-connection.ts'
import { StreamPipe } from './stream-pipe.ts'
import { Http2Stream } from './stream.ts'
import { beginHandshake, completeHandshake } from './web-socket.ts'

/** Methods whose absent body HTTP/1 spells out. */
const bodyMethods = new Set(['POST', 'PUT', 'PATCH'])
/** A request given up later than this, or answered before, was meant. */
const prematureMs = 1000
/** A call's deadline is up for its client before it is for us, as it has begun there. */
const clientAheadMs = 50

export class ServerStream extends Http2Stream implements Receiver {
  readonly #connection: Http2ServerConnection
  readonly #head: IncomingRequest
  readonly headBytes: number
  #exchange: Exchange | undefined
  #reply: Reply | undefined
  #continueOwed = false
  /** Set of what asks for a tunnel. */
  #pipe: StreamPipe | undefined

  constructor(id: number, connection: Http2ServerConnection, head: IncomingRequest, headBytes: number) {
    super(id, connection.session)
    this.#connection = connection
    this.#head = head
    this.headBytes = headBytes
  }

  get takesData(): boolean {
    return true
  }

  get sendsTrailers(): boolean {
    return true
  }

  /** A call may be silent for hours and mean it; a tunnel has a limit of its own. */
  get isPatient(): boolean {
    return this.#head.isGrpc || this.#pipe !== undefined
  }

  /** Makes the exchange and hands it on. */
  start(endStream: boolean): void {
    const head = this.#head
    const content = endStream ? '' : this.session.takeNextBody(this.id)
    const { contentLength } = head
    if (content !== undefined && contentLength !== -1 && contentLength !== content.length) {
      this.fail(errorCode.protocolError, 'the content is not as long as content-length says')
      return
    }
    if (head.tunnel !== undefined) {
      this.#startTunnel(head, this.#bodyOf(content))
      return
    }
    const { options } = this.#connection
    head.framing = framingOf(head, content)
    const x = new Exchange(options.downstream, head, this.#bodyOf(content), options.nowMs())
    x.http2 = head.http2
    if (head.isGrpc) x.grpc = grpcCallOf(x.headers, x.startedAtMs)
    x.expectsContinue = this.#continueOwed = head.expects === 'continue' && content === undefined
    x.interim = this.#onInterim
    this.#exchange = x
    options.handler(x, this)
  }

  onReply(x: Exchange, reply: Reply): void {
    if (this.over || this.#reply !== undefined) {
      reply.body.fail(new Error('client went away'))
      return
    }
    if (this.#pipe !== undefined && (reply.tunnel !== undefined || reply.status < 300)) {
      this.#openTunnel(x, reply, this.#pipe)
      return
    }
    this.#reply = reply
    const { body } = reply
    const { inline } = body
    if (inline === undefined) {
      this.#write(reply, false)
      this.sendBody(body)
    } else if (inline === '' || x.method === 'HEAD') {
      this.#write(reply, true)
      this.endLocal()
    } else {
      this.#write(reply, false)
      this.sendLast(inline)
    }
    this.#connection.replied()
  }

  /** There is no reply, and nobody made one of that. */
  onFailure(x: Exchange, error: unknown): void {
    if (this.over) return
    if (error instanceof WireError && this.#reply === undefined) {
      x.flag = error.flag
      this.#connection.options.onViolation(error, true)
      this.#connection.refuse(this.id, error, true)
      this.leave(true)
    } else {
      this.reset(errorCode.internalError)
    }
    this.onBroken(error as Error)
  }

  override leave(byUs: boolean): void {
    if (!this.over) this.#connection.forget(this.headBytes)
    super.leave(byUs)
  }

  onHeaders(block: HeadBlock | undefined, endStream: boolean): void {
    if (this.#pipe !== undefined) this.fail(errorCode.protocolError, 'HEADERS on a tunnel')
    else if (!endStream || block === undefined)
      this.fail(errorCode.protocolError, 'trailers that do not end the stream, or are too large')
    else this.finishIncoming(block)
  }

  onReset(code: number): void {
    const x = this.#exchange
    const { session } = this
    if (this.#reply === undefined && x !== undefined && isPremature(x, session.nowMs())) session.countReset()
    if (this.over) return
    this.leave(false)
    this.onBroken(new StreamReset(code))
  }

  onBroken(error: Error): void {
    const x = this.#exchange
    this.#exchange = undefined
    this.#pipe?.gone()
    if (x === undefined) {
      if (error instanceof StreamFault) this.#connection.violated(error.message, false)
      return
    }
    if (error instanceof StreamFault) {
      x.flag = 'DPE'
      this.#connection.violated(error.message, true)
    }
    x.body.fail(error)
    x.abort(error)
    this.#done(x, undefined)
  }

  onAborted(error: Error): void {
    const x = this.#exchange
    if (x !== undefined && x.flag === '') x.flag = 'UC'
    this.reset(codeFor(error))
    this.onBroken(error)
  }

  onSent(): void {
    const x = this.#exchange
    this.#exchange = undefined
    if (x === undefined) {
      if (this.remoteEnded) this.#pipe?.gone()
      return
    }
    this.#done(x, this.#reply)
    if (this.remoteEnded) return
    // The reply is complete before its request: nobody reads the rest.
    x.body.stop()
    this.reset(errorCode.noError)
  }

  onReceived(): void {
    if (this.localEnded) this.#pipe?.gone()
  }

  /** What the client sends waits until the tunnel stands. */
  #startTunnel(head: IncomingRequest, received: Body): void {
    const { options } = this.#connection
    head.framing = framed
    const x = new Exchange(options.downstream, head, Body.empty, options.nowMs())
    x.http2 = true
    if (head.tunnel === 'websocket') beginHandshake(x.headers)
    x.interim = this.#onInterim
    this.#exchange = x
    const isConnect = head.tunnel === 'connect'
    this.#pipe = new StreamPipe(this, received, isConnect ? errorCode.connectError : errorCode.cancel)
    const handler = isConnect ? options.connect : options.handler
    handler?.(x, this)
  }

  /** A success is one to the client only when it leads somewhere. */
  #openTunnel(x: Exchange, reply: Reply, pipe: StreamPipe): void {
    const isWebSocket = this.#head.tunnel === 'websocket'
    if (reply.tunnel === undefined || (isWebSocket && !completeHandshake(x.headers, reply.headers))) {
      const failure = new UpstreamFailure('malformed', 'the handshake of the WebSocket was not answered')
      reply.tunnel?.takeWire().wire.destroy()
      reply.body.fail(failure)
      x.cancel?.(failure)
      const { status, flag, code, message } = failure
      this.onReply(x, localReply(x, { status, flag, text: `${code}: ${message}` }))
      return
    }
    this.#reply = reply
    const { headers } = reply
    this.#write({ status: 200, reason: statusText(200), headers, bodyLength: chunked }, false)
    this.#connection.replied()
    this.#exchange = undefined
    this.#done(x, reply)
    this.#connection.options.onTunnel(pipe, reply)
  }

  #write(reply: OutgoingReply, endStream: boolean): void {
    const { session } = this
    session.form.writeReply(session.out, this.id, reply, endStream)
  }

  #bodyOf(content: string | undefined): Body {
    if (content === undefined) {
      const { contentLength } = this.#head
      const length = contentLength === -1 ? chunked : contentLength
      this.incoming = new IncomingContent(this, length, contentLength)
      return this.incoming.body
    }
    this.remoteEnded = true
    return content === '' ? Body.empty : Body.of(content)
  }

  #done(x: Exchange, reply: Reply | undefined): void {
    x.done(reply, this.sentBytes)
    if (x.flag !== '') this.#connection.options.onFlag(x.flag)
  }

  readonly #onInterim = (status: number, headers: HeaderList): void => {
    if (this.over || this.#reply !== undefined) return
    if (status === 100) {
      if (!this.#continueOwed) return
      this.#continueOwed = false
    }
    this.#write({ status, reason: statusText(status), headers, bodyLength: 0 }, false)
  }
}

/** Whether the request was given up too soon to be meant; a call whose time is up is not, we would have ended it too. */
function isPremature({ startedAtMs, grpc }: Exchange, nowMs: number): boolean {
  const isDue = grpc !== undefined && nowMs >= grpc.deadlineMs - clientAheadMs
  return nowMs - startedAtMs < prematureMs && !isDue
}

/** How HTTP/1 would say where this body ends, if it comes to that. */
function framingOf({ contentLength, method }: IncomingRequest, content: string | undefined): BodyLength {
  if (contentLength !== -1) return framed
  if (content === undefined) return chunked
  return content !== '' || bodyMethods.has(method) ? content.length : framed
}

/** What a client is told of a reply that breaks off: nothing that it could take for a reply that may be asked for again. */
function codeFor(error: Error): number {
  // A gRPC client whose own deadline is up makes DEADLINE_EXCEEDED of it.
  if (error instanceof UpstreamFailure && error.kind === 'timeout') return errorCode.cancel
  const { cause } = error
  if (!(cause instanceof StreamReset)) return errorCode.internalError
  const { code } = cause
  return code === errorCode.cancel || code === errorCode.enhanceYourCalm ? code : errorCode.internalError
}
