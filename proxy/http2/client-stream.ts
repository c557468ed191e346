/** One exchange on a connection to an upstream: sends the request, and makes a reply of what comes. */
import { Buffer } from 'node:buffer'
import { Body, type BodyLength, chunked } from '../body.ts'
import { type Exchange, type Receiver, Reply } from '../exchange.ts'
import { framed } from '../header-fields.ts'
import { statusText } from '../http1/status-text.ts'
import { UpstreamFailure, type UpstreamFailureKind } from '../upstream-failure.ts'
import type { Http2ClientConnection } from './client-connection.ts'
import { StreamFault, StreamReset } from './faults.ts'
import { errorCode } from './frame-types.ts'
import type { HeadBlock, IncomingReply } from './head-form.ts'
import { IncomingContent } from './incoming-content.ts'
import { maxInterimReplies } from './limits.ts'
import { StreamPipe } from './stream-pipe.ts'
import { Http2Stream } from './stream.ts'
import { answerHandshake } from './web-socket.ts'

const noBytes = Buffer.alloc(0)

export class ClientStream extends Http2Stream {
  readonly #connection: Http2ClientConnection
  readonly #x: Exchange
  /** Who waits for the reply's head. */
  #receiver: Receiver | undefined
  #interimReplies = 0
  #bodiless = false
  #cancelled: Error | undefined
  /** Set once the upstream has made a tunnel of it. */
  #pipe: StreamPipe | undefined

  constructor(id: number, connection: Http2ClientConnection, x: Exchange, receiver: Receiver) {
    super(id, connection.session)
    this.#connection = connection
    this.#x = x
    this.#receiver = receiver
  }

  get takesData(): boolean {
    return !this.#bodiless
  }

  /** Trailers of a request break some servers, and with them the requests of others: only a sidecar is sent any. */
  get sendsTrailers(): boolean {
    return this.#connection.isMesh
  }

  get isPatient(): boolean {
    return true
  }

  start(): void {
    const x = this.#x
    x.cancel = this.#onCancel
    const { inline } = x.body
    const { form, out } = this.session
    // gRPC ends by DATA, also where there is none (PROTOCOL-HTTP2): servers in Go wait for it.
    const endStream = inline === '' && x.upgrade === undefined && x.grpc === undefined
    form.writeRequest(out, this.id, x, endStream)
    // What a tunnel is to carry waits for the answer.
    if (x.upgrade !== undefined) return
    if (inline === undefined) {
      this.sendBody(x.body)
    } else if (endStream) {
      this.endLocal()
    } else {
      this.sendLast(inline)
    }
  }

  onHeaders(block: HeadBlock | undefined, endStream: boolean): void {
    if (this.#receiver === undefined) {
      // The final head has gone on: these are trailers.
      if (this.#pipe !== undefined) this.fail(errorCode.protocolError, 'HEADERS on a tunnel')
      else if (block !== undefined && endStream) this.finishIncoming(block)
      else this.fail(errorCode.protocolError, 'trailers that do not end the stream, or are too large')
      return
    }
    const head =
      block === undefined
        ? 'the header of the reply is too large'
        : this.session.form.reply(block, this.#x.method)
    if (typeof head === 'string') this.fail(errorCode.protocolError, head)
    else if (head.status < 200) this.#onInterim(head, endStream)
    else this.#onFinal(head, endStream)
  }

  onReset(code: number): void {
    // Node's server closes a stream like this when its last byte has used up the window: only the end was not said.
    if (code === errorCode.noError && !this.remoteEnded && this.incoming?.fulfilled === true) {
      this.finishIncoming(undefined)
      if (this.over) return
    }
    const { remoteEnded } = this
    this.leave(false)
    // After its reply is complete it only says that it wants no more of the request.
    if (remoteEnded && this.#pipe === undefined) this.#x.body.stop()
    else if (remoteEnded && code === errorCode.noError) this.#pipe?.deafen()
    else this.onBroken(new StreamReset(code))
  }

  /** For the connection: the upstream has not looked at it; `code` says why. */
  refuse(code: number): void {
    this.leave(false)
    this.onBroken(new StreamReset(code))
  }

  onBroken(error: Error): void {
    const x = this.#x
    this.#detach()
    x.body.stop()
    const receiver = this.#receiver
    this.#receiver = undefined
    this.incoming?.body.fail(this.#cancelled ?? this.#failure(error))
    this.#pipe?.gone()
    // Last: the exchange may be sent again at once.
    receiver?.onFailure(x, this.#failure(error))
  }

  /** The client has gone in the middle of its request. */
  onAborted(error: Error): void {
    this.#onCancel(error)
  }

  onSent(): void {
    if (!this.remoteEnded) return
    this.#detach()
    this.#pipe?.gone()
  }

  onReceived(): void {
    if (this.localEnded) {
      this.#detach()
      this.#pipe?.gone()
      return
    }
    if (this.#pipe !== undefined) return
    // The answer came before the whole request: what is left of it has no reader.
    this.#detach()
    this.#x.body.stop()
    this.reset(errorCode.noError)
  }

  readonly #onCancel = (reason: Error): void => {
    if (this.over) return
    this.#cancelled = reason
    this.reset(errorCode.cancel)
    this.onBroken(reason)
  }

  #onInterim(head: IncomingReply, endStream: boolean): void {
    const x = this.#x
    if (endStream || ++this.#interimReplies > maxInterimReplies) {
      this.fail(errorCode.protocolError, 'an interim reply that ends the stream, or too many of them')
      return
    }
    if (x.interim === undefined) return
    if (head.status !== 100) x.interimPassed = true
    x.interim(head.status, head.headers(framed))
  }

  #onFinal(head: IncomingReply, endStream: boolean): void {
    const { status } = head
    if (this.#x.upgrade !== undefined) {
      if (status < 300) {
        this.#openTunnel(head, endStream)
        return
      }
      this.sendLast('')
    }
    this.#bodiless = this.#x.method === 'HEAD' || status === 204 || status === 304
    const content = endStream ? '' : this.#bodiless ? undefined : this.session.takeNextBody(this.id)
    const expected = this.#bodiless ? -1 : head.contentLength
    if (content !== undefined && expected !== -1 && expected !== content.length) {
      this.fail(errorCode.protocolError, 'the content is not as long as content-length says')
      return
    }
    const receiver = this.#receiver as Receiver
    this.#receiver = undefined
    const headers = head.headers(framingOf(expected, content, this.#bodiless))
    if (content === undefined) {
      const known = expected === -1 ? head.openLength : expected
      const { body } = (this.incoming = new IncomingContent(this, this.#bodiless ? 0 : known, expected))
      receiver.onReply(this.#x, new Reply(status, head.reason, headers, body))
      return
    }
    this.remoteEnded = true
    const body = content === '' ? Body.empty : Body.of(content)
    const x = this.#x
    if (this.localEnded) {
      this.leave(false)
      this.#detach()
    }
    receiver.onReply(x, new Reply(status, head.reason, headers, body))
    if (!this.over) this.onReceived()
  }

  /** A success is the tunnel asked for, whatever it says of a content (RFC 9110 9.3.6): HTTP/1's 101. */
  #openTunnel(head: IncomingReply, endStream: boolean): void {
    const x = this.#x
    const receiver = this.#receiver as Receiver
    this.#receiver = undefined
    this.incoming = new IncomingContent(this, chunked, -1)
    const pipe = (this.#pipe = new StreamPipe(this, this.incoming.body, errorCode.cancel))
    const headers = head.headers(framed)
    headers.remove('content-length')
    answerHandshake(x.headers, headers)
    const takeWire = (): { wire: StreamPipe; early: Buffer } => {
      this.#detach()
      return { wire: pipe, early: noBytes }
    }
    receiver.onReply(x, new Reply(101, statusText(101), headers, Body.empty, { takeWire }))
    if (endStream && !this.over) this.finishIncoming(undefined)
  }

  /** The exchange is no longer tied to this stream. */
  #detach(): void {
    if (this.#x.cancel === this.#onCancel) this.#x.cancel = undefined
  }

  /** Why there is no reply, or no end of it. */
  #failure(error: Error): UpstreamFailure {
    const cancelled = this.#cancelled
    if (cancelled !== undefined) return this.#failed('cancelled', cancelled.message, cancelled)
    if (error instanceof StreamFault) return this.#failed('malformed', error.message, error)
    if (!(error instanceof StreamReset))
      return this.#failed('reset', `upstream closed before it replied: ${error.message}`, error)
    // Once it has replied it was at work, whatever it says.
    const kind = this.incoming === undefined ? kindOf(error.code) : 'reset'
    return this.#failed(kind, `upstream: ${error.message}`, error)
  }

  #failed(kind: UpstreamFailureKind, message: string, cause: Error): UpstreamFailure {
    const facts = {
      requestWritten: kind !== 'refused',
      reusedConnection: this.#connection.reused,
      replyStarted: this.#interimReplies > 0 || this.incoming !== undefined || kind === 'malformed',
    }
    return new UpstreamFailure(kind, message, facts, cause)
  }
}

function kindOf(resetCode: number): UpstreamFailureKind {
  if (resetCode === errorCode.refusedStream) return 'refused'
  return resetCode === errorCode.http11Required ? 'http1-required' : 'reset'
}

/** How HTTP/1 would say where this body ends, if it comes to that. */
function framingOf(expected: number, content: string | undefined, bodiless: boolean): BodyLength {
  if (expected !== -1 || bodiless) return framed
  return content === undefined ? framed : content.length
}
