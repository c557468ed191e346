/** One connection to an application or to another sidecar over HTTP/2: many exchanges at a time. */
import type { Exchange, Receiver } from '../exchange.ts'
import type { Wire } from '../listen/wire.ts'
import { ClientStream } from './client-stream.ts'
import { ConnectionFault } from './faults.ts'
import { errorCode } from './frame-types.ts'
import type { HeadForm } from './head-form.ts'
import { lastFreshStreamId, maxStreamsToPeer, settingsTimeoutMs } from './limits.ts'
import { Session, type SessionOwner } from './session.ts'

export type Http2ClientEvents = {
  /** The upstream speaks HTTP/2, and may be sent requests. Called once, unless `onClosed` is before it. */
  readonly onReady: (connection: Http2ClientConnection) => void
  /** A stream is over: there may be room for another one, or none left. */
  readonly onStreamOver: (connection: Http2ClientConnection) => void
  /** Its settings have changed, once it was ready: there may be more room, or less. */
  readonly onSettings: () => void
  /** So many of its streams were reset that the upstream may soon take that for an attack, and end it. */
  readonly onWorn: (connection: Http2ClientConnection) => void
  /** No more streams are to be opened; those there are go on. Called once. */
  readonly onDraining: (connection: Http2ClientConnection) => void
  /** It is gone. Called once. */
  readonly onClosed: (connection: Http2ClientConnection) => void
}

/** A stream that we have reset counts as open for so long: the upstream may not have heard of it yet. */
const coolingMs = 500
/**
 * Servers count resets, whoever's clients they come from, and end a connection with all of its streams: Node and others on
 * nghttp2 beyond 1000 at once and 33 a second, Envoy beyond 250 early ones. Those that are open may be reset as well.
 */
const fewResets = 50
const mostResets = 450
const resetsForgottenPerSweep = 30
/** Without a byte while streams are open, another sidecar is asked whether it is alive. */
const quietMs = 30_000
const pingTimeoutMs = 20_000
const keepAlivePing = Buffer.from('weft ping')

export class Http2ClientConnection implements SessionOwner {
  readonly session: Session
  /** The upstream is a sidecar. */
  readonly isMesh: boolean
  readonly #events: Http2ClientEvents
  readonly #nowMs: () => number
  /** Before it was ready: something else than HTTP/2, or not a word. */
  spoke: 'http2' | 'other' | 'nothing' = 'http2'
  /** It has said so of all requests. */
  wantsHttp1 = false
  #ready = false
  #draining = false
  #gone = false
  #nextId = 1
  /** When streams that we have reset count no more. */
  readonly #cooling: number[] = []
  /** As its upstream may count them. */
  #resets = 0
  #seenReads = 0
  #quietSinceMs = 0
  /** When it was asked, if it has not said a word since. */
  #pingedMs: number | undefined
  idleSinceMs = 0

  constructor(wire: Wire, form: HeadForm, isMesh: boolean, nowMs: () => number, events: Http2ClientEvents) {
    this.isMesh = isMesh
    this.#events = events
    this.#nowMs = nowMs
    this.idleSinceMs = nowMs()
    const options = { isServer: false, trusted: isMesh, nowMs, maxConcurrentStreams: 0, form }
    this.session = new Session(wire, this, options)
    wire.readInto(this.session)
  }

  get openStreams(): number {
    return this.session.streams.size
  }

  /** It has served a request before: it may just have been closed for being idle. */
  get reused(): boolean {
    return this.#nextId > 3
  }

  /** A request was sent on it. */
  get carried(): boolean {
    return this.#nextId > 1
  }

  /** Takes no requests until its settings change. */
  get takesNone(): boolean {
    return this.session.peer.maxConcurrentStreams === 0
  }

  /** May be sent a request now. */
  get hasRoom(): boolean {
    if (!this.#ready || this.#draining) return false
    const cooling = this.#cooling
    if (cooling.length > 0) {
      const nowMs = this.#nowMs()
      while (cooling.length > 0 && (cooling[0] as number) <= nowMs) cooling.shift()
    }
    const most = Math.min(this.session.peer.maxConcurrentStreams, maxStreamsToPeer)
    return this.session.streams.size + cooling.length < most
  }

  /** Makes tunnels of streams (RFC 8441). */
  get takesTunnels(): boolean {
    return this.session.peer.takesConnectProtocol
  }

  /** Sends the request of `x`, where there is room; `receiver` is told the reply's head, or an UpstreamFailure. */
  send(x: Exchange, receiver: Receiver): void {
    const stream = new ClientStream(this.#nextId, this, x, receiver)
    this.#nextId += 2
    this.session.add(stream)
    stream.start()
    if (this.#nextId > lastFreshStreamId) this.#drain()
  }

  /** As `drain`, for whoever is told of a stream that is over. */
  retire(): void {
    this.#drain()
    if (this.openStreams === 0) queueMicrotask(() => this.close())
  }

  /** The last stream to leave closes it. */
  drain(): void {
    this.#drain()
    if (this.openStreams === 0) this.close()
  }

  close(): void {
    if (!this.session.over) this.session.out.goaway(0, errorCode.noError, '')
    this.session.close()
    this.session.destroy()
  }

  /** Looked at once a second. */
  sweep(nowMs: number): void {
    const { session } = this
    this.#resets = Math.max(0, this.#resets - resetsForgottenPerSweep)
    if (session.over) {
      session.destroy()
    } else if (
      session.greeted &&
      !session.acknowledged &&
      nowMs - session.settingsSentMs >= settingsTimeoutMs
    ) {
      session.fail(new ConnectionFault(errorCode.settingsTimeout, 'SETTINGS are not acknowledged'))
    } else if (this.isMesh && session.streams.size > 0) {
      this.#watchSilence(nowMs)
    }
  }

  onNewStream(): void {
    throw new ConnectionFault(errorCode.protocolError, 'HEADERS for a stream that is not open')
  }

  onSettings(): void {
    if (this.#ready) {
      this.#events.onSettings()
      return
    }
    this.#ready = true
    this.#events.onReady(this)
  }

  onGoaway(lastId: number, code: number): void {
    this.wantsHttp1 = code === errorCode.http11Required
    this.#drain()
    const untouched = this.session.streams.all().filter((stream) => stream.id > lastId)
    const refusal = this.wantsHttp1 ? code : errorCode.refusedStream
    for (const stream of untouched) if (stream instanceof ClientStream) stream.refuse(refusal)
    if (this.openStreams === 0) this.close()
  }

  onPingAck(): void {}

  onStreamOver(byUs: boolean): void {
    const isIdle = this.openStreams === 0 && !this.session.over
    if (isIdle && this.#draining) {
      // Not from within the stream's own call.
      queueMicrotask(() => this.close())
      return
    }
    if (isIdle) this.idleSinceMs = this.#nowMs()
    if (byUs) this.#cooling.push(this.#nowMs() + coolingMs)
    this.#events.onStreamOver(this)
    if (byUs) this.#countReset()
  }

  /** The upstream sends no more, so that no reply will come. */
  onEnd(): void {
    this.session.close()
    this.session.destroy()
  }

  onOver(error: Error | undefined): void {
    if (!this.#ready) this.spoke = error instanceof ConnectionFault ? 'other' : 'nothing'
    this.#draining = true
    if (this.#gone) return
    this.#gone = true
    this.#events.onClosed(this)
  }

  onClose(): void {}

  #countReset(): void {
    const resets = ++this.#resets
    if (resets >= fewResets && resets + this.openStreams >= mostResets && !this.#draining)
      this.#events.onWorn(this)
  }

  #drain(): void {
    if (this.#draining) return
    this.#draining = true
    this.#events.onDraining(this)
  }

  #watchSilence(nowMs: number): void {
    const { session } = this
    if (session.reads !== this.#seenReads) {
      this.#seenReads = session.reads
      this.#quietSinceMs = nowMs
      this.#pingedMs = undefined
      return
    }
    if (this.#pingedMs === undefined) {
      if (nowMs - this.#quietSinceMs < quietMs) return
      this.#pingedMs = nowMs
      session.out.ping(keepAlivePing, 0, 0)
    } else if (nowMs - this.#pingedMs >= pingTimeoutMs) {
      session.fail(new ConnectionFault(errorCode.noError, 'the upstream is silent'))
      session.destroy()
    }
  }
}
