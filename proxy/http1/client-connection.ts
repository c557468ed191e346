/** One connection to an application or to another sidecar: sends an exchange, reads its reply, one at a time. */
import { Buffer } from 'node:buffer'
import { Body, type BodySource, chunked, untilClose } from '../body.ts'
import { type Exchange, type Receiver, Reply, type Tunnel } from '../exchange.ts'
import type { Wire, WireReader } from '../listen/wire.ts'
import { UpstreamFailure } from '../upstream-failure.ts'
import { BodyReader } from './body-reader.ts'
import { BodyWriter } from './body-writer.ts'
import { HeadCollector } from './head-collector.ts'
import { maxInterimReplies } from './limits.ts'
import { parseResponseHead, type ResponseHead } from './response-head.ts'
import { inlineBodyBytes } from './server-connection.ts'
import { requestHeadText } from './serialize.ts'
import { WireError } from './wire-error.ts'

export type ClientConnectionEvents = {
  /** The exchange is over and the connection may serve another. */
  readonly onIdle: (connection: ClientConnection) => void
  /** The connection is gone, or must not be used again. Called once. */
  readonly onClosed: (connection: ClientConnection) => void
}

/** Off the time that an upstream says it keeps a connection: a request may be on its way when it closes. */
const keepAliveMarginMs = 1000

/** How long a connection may be idle by a Keep-Alive field. */
function idleLimit(field: string | undefined): number {
  const seconds = field === undefined ? null : /(?:^|[,; \t])timeout=([0-9]{1,6})(?![0-9])/i.exec(field)
  return seconds === null ? Number.POSITIVE_INFINITY : Number(seconds[1]) * 1000 - keepAliveMarginMs
}

export class ClientConnection implements WireReader, BodySource, Tunnel {
  readonly #wire: Wire
  readonly #events: ClientConnectionEvents
  readonly #heads: HeadCollector<ResponseHead> = new HeadCollector(
    (source) => parseResponseHead(source, this.#exchange?.method ?? ''),
    502,
    502,
  )
  #exchange: Exchange | undefined
  /** Who waits for the reply's head. */
  #receiver: Receiver | undefined
  /** Kept beyond the request's end, which may have to wait for the wire. */
  #writer: BodyWriter | undefined
  #bodyReader: BodyReader | undefined
  #replyBody: Body | undefined
  #requestSent = false
  /** Where on the wire the request begins, and whether nothing of it has left, or ever will. */
  #sentFrom = 0
  #unwritten = false
  #replyDone = false
  #keepAlive = true
  #interimReplies = 0
  #closed = false
  #wasIdle = false
  #early: Buffer = Buffer.alloc(0)
  #cancelled: Error | undefined
  #malformation: WireError | undefined
  /** When it became idle, by the pool's clock. */
  idleSinceMs = 0
  /** For how long the upstream lets it be idle, as far as it says. */
  idleLimitMs = Number.POSITIVE_INFINITY
  #keepAliveField: string | undefined

  constructor(wire: Wire, events: ClientConnectionEvents) {
    this.#wire = wire
    this.#events = events
    wire.readInto(this)
  }

  get usable(): boolean {
    return !this.#closed && !this.#wire.closed
  }

  destroy(): void {
    this.#takeBack()
    this.#wire.destroy()
    this.#gone()
  }

  /** Gives the connection back unused. */
  release(): void {
    this.#wasIdle = true
    if (!this.#closed) this.#events.onIdle(this)
  }

  /** Sends the request of `x`; `receiver` is told the reply's head, or an UpstreamFailure. */
  send(x: Exchange, receiver: Receiver): void {
    if (this.#closed) {
      this.#unwritten = true
      receiver.onFailure(x, this.#failure())
      return
    }
    this.#exchange = x
    this.#receiver = receiver
    this.#sentFrom = this.#wire.writtenBytes
    this.#requestSent = false
    this.#replyDone = false
    this.#interimReplies = 0
    x.cancel = this.#onCancel
    const head = requestHeadText(x)
    const { body } = x
    if (body.inline !== undefined) {
      this.#requestSent = true
      this.#wire.writeText(body.inline === '' ? head : head + body.inline)
    } else {
      this.#streamRequest(x, head)
    }
  }

  onBytes(buffer: Buffer, start: number, end: number): void {
    if (this.#closed) return
    try {
      let position = start
      while (position < end && !this.#closed) {
        if (this.#exchange === undefined || (this.#wasIdle && !this.#wire.hasLeft(this.#sentFrom))) {
          // Bytes on an idle connection would become the reply to somebody else's request.
          this.destroy()
          return
        }
        if (this.#bodyReader !== undefined) {
          position = this.#bodyReader.read(buffer, position, end)
          if (!this.#bodyReader.done) return
          this.#bodyReader = undefined
          this.#keepAlive = this.#keepAlive && position === end
          this.#replyComplete()
        } else {
          position = this.#readHead(buffer, position, end)
          if (position === -1) return
        }
      }
    } catch (error) {
      this.#malformed(error instanceof WireError ? error : new WireError(502, String(error)))
    }
  }

  onEnd(): void {
    if (this.#bodyReader?.end() === true) {
      this.#bodyReader = undefined
      this.#keepAlive = false
      this.#replyComplete()
      return
    }
    this.destroy()
  }

  onClose(): void {
    this.#takeBack()
    this.#gone()
  }

  onDrain(): void {
    this.#writer?.onDrain()
  }

  pauseBody(): void {
    this.#wire.pause()
  }

  resumeBody(): void {
    this.#wire.resume()
  }

  takeWire(): { wire: Wire; early: Buffer } {
    this.#closed = true
    this.#exchange = undefined
    this.#events.onClosed(this)
    return { wire: this.#wire, early: this.#early }
  }

  /** A FIN would be the end of our request, and the next hop would go on for nobody. */
  readonly #onCancel = (reason: Error): void => {
    this.#cancelled = reason
    this.#wire.reset()
    this.#gone()
  }

  #streamRequest(x: Exchange, head: string): void {
    const writer = new BodyWriter(this.#wire, x.body, {
      chunked: x.body.length === chunked,
      forwardTrailers: x.acceptsTrailers,
      onEnd: () => {
        this.#requestSent = true
        if (this.#replyDone) this.#release()
      },
      onAbort: (error) => {
        this.#cancelled = error
        this.destroy()
      },
    })
    this.#writer = writer
    this.#wire.writeText(head)
    writer.start()
  }

  /** Returns the index after the head, or -1 when its end is not there yet. */
  #readHead(buffer: Buffer, start: number, end: number): number {
    const x = this.#exchange as Exchange
    const after = this.#heads.take(buffer, start, end)
    if (after === -1) return -1
    const head = this.#heads.head as ResponseHead
    if (head.status < 200) return this.#readInterim(x, head, buffer, after, end)
    this.#keepAlive &&= head.keepAlive
    // The same in every reply of an application, so it is read once.
    if (head.keepAliveField !== this.#keepAliveField) {
      // A copy: the field is a part of what was read, and would keep all of that.
      this.#keepAliveField = head.keepAliveField && Buffer.from(head.keepAliveField, 'latin1').latin1Slice()
      this.idleLimitMs = idleLimit(head.keepAliveField)
    }
    return this.#startReply(x, head, buffer, after, end)
  }

  #readInterim(x: Exchange, head: ResponseHead, buffer: Buffer, after: number, end: number): number {
    if (head.status === 101) return this.#switchProtocols(x, head, buffer, after, end)
    if (++this.#interimReplies > maxInterimReplies) throw new WireError(502, 'too many interim replies')
    this.#keepAlive &&= head.keepAlive
    if (x.interim !== undefined) {
      if (head.status !== 100) x.interimPassed = true
      x.interim(head.status, head.headers)
    }
    return after
  }

  #switchProtocols(x: Exchange, head: ResponseHead, buffer: Buffer, after: number, end: number): number {
    const asked = x.upgrade?.toLowerCase()
    if (asked === undefined || head.upgrade?.toLowerCase() !== asked)
      throw new WireError(502, 'unasked upgrade')
    this.#early = Buffer.from(buffer.subarray(after, end))
    this.#wire.pause()
    this.#replied(x, new Reply(101, head.reason, head.headers, Body.empty, this))
    return end
  }

  #startReply(x: Exchange, head: ResponseHead, buffer: Buffer, after: number, end: number): number {
    const { bodyLength } = head
    const available = end - after
    if (bodyLength >= 0 && bodyLength <= available && bodyLength <= inlineBodyBytes) {
      const consumed = after + bodyLength
      const body = bodyLength === 0 ? Body.empty : Body.of(this.#heads.textAfter(buffer, after, consumed))
      this.#keepAlive = this.#keepAlive && consumed === end
      this.#replied(x, new Reply(head.status, head.reason, head.headers, body))
      if (!this.#closed) this.#replyComplete()
      return consumed
    }
    const body = new Body(bodyLength, this)
    this.#replyBody = body
    this.#bodyReader = new BodyReader(body, 502)
    if (bodyLength === untilClose) this.#keepAlive = false
    this.#replied(x, new Reply(head.status, head.reason, head.headers, body))
    return after
  }

  #replied(x: Exchange, reply: Reply): void {
    const receiver = this.#receiver
    this.#receiver = undefined
    receiver?.onReply(x, reply)
  }

  #replyComplete(): void {
    this.#replyDone = true
    this.#replyBody = undefined
    if (this.#requestSent) {
      this.#release()
      return
    }
    // The answer came before the whole request: what is left of it has no reader.
    this.#exchange?.body.stop()
    this.destroy()
  }

  #release(): void {
    const x = this.#exchange
    this.#exchange = undefined
    this.#writer = undefined
    if (x !== undefined && x.cancel === this.#onCancel) x.cancel = undefined
    if (this.#keepAlive) this.release()
    else this.destroy()
  }

  /** The peer has gone before what waits for the turn's end was sent: it need not be sent to nobody. */
  #takeBack(): void {
    if (this.#exchange !== undefined) this.#unwritten = this.#wire.takeBack(this.#sentFrom)
  }

  #malformed(error: WireError): void {
    this.#malformation = error
    this.destroy()
  }

  #gone(): void {
    if (this.#closed) return
    this.#closed = true
    const x = this.#exchange
    this.#exchange = undefined
    if (x !== undefined && x.cancel === this.#onCancel) x.cancel = undefined
    x?.body.stop()
    this.#events.onClosed(this)
    this.#replyBody?.fail(
      this.#cancelled ??
        (this.#malformation === undefined
          ? new UpstreamFailure('reset', 'upstream closed in the middle of its reply')
          : this.#failure()),
    )
    const receiver = this.#receiver
    this.#receiver = undefined
    // Last: the exchange may be sent again at once.
    if (x !== undefined) receiver?.onFailure(x, this.#failure())
  }

  /** Why there is no reply. */
  #failure(): UpstreamFailure {
    // An interim reply is one too: the application was at work, and the client may have seen it.
    const replyStarted = this.#heads.pending || this.#interimReplies > 0
    const facts = { requestWritten: !this.#unwritten, reusedConnection: this.#wasIdle, replyStarted }
    const malformation = this.#malformation
    if (malformation !== undefined)
      return new UpstreamFailure(
        'malformed',
        malformation.message,
        { ...facts, replyStarted: true },
        malformation,
      )
    if (this.#cancelled !== undefined)
      return new UpstreamFailure('cancelled', this.#cancelled.message, facts, this.#cancelled)
    const { error } = this.#wire
    const message = `upstream closed before it replied${error === undefined ? '' : `: ${error.message}`}`
    return new UpstreamFailure('reset', message, facts, error)
  }
}
