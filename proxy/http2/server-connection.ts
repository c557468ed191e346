/** One client connection that speaks HTTP/2: takes its streams, watches over it, and ends it in good order. */
import { HeaderList } from '../header-list.ts'
import type { Reply } from '../exchange.ts'
import { connectNotAllowed } from '../http1/request-head.ts'
import { statusText } from '../http1/status-text.ts'
import type { ServerConnectionOptions } from '../http1/server-connection.ts'
import { WireError } from '../http1/wire-error.ts'
import type { Connection } from '../listen/connections.ts'
import type { Wire } from '../listen/wire.ts'
import { ConnectionFault } from './faults.ts'
import { errorCode, largestStreamId } from './frame-types.ts'
import type { HeadBlock, HeadForm, Malformed } from './head-form.ts'
import {
  drainPingTimeoutMs,
  faultLingerMs,
  lastFreshStreamId,
  lingerMs,
  maxConcurrentMeshStreams,
  maxConcurrentStreams,
  maxOpenHeadBytes,
  maxOpenMeshHeadBytes,
  settingsTimeoutMs,
} from './limits.ts'
import { ServerStream } from './server-stream.ts'
import { Session, type SessionOwner } from './session.ts'
import { StallWatch } from './stall-watch.ts'
import type { SpliceSide } from '../tcp/splice.ts'

/** As of HTTP/1; a head's time is that of a header block and of the first SETTINGS, and idle is who has no stream. */
export type Http2ServerOptions = Omit<ServerConnectionOptions, 'onTunnel' | 'onClosed'> & {
  readonly form: HeadForm
  /** A tunnel was opened: what carries its bytes on either side is handed over. */
  readonly onTunnel: (client: SpliceSide, reply: Reply) => void
  readonly onClosed: (connection: Http2ServerConnection) => void
}

/** All deadlines are seconds long, so that it is enough to look at them once a second. */
const lookEveryMs = 1000
const drainPing = Buffer.from('weft end')

export class Http2ServerConnection implements SessionOwner, Connection {
  readonly options: Http2ServerOptions
  readonly session: Session
  readonly #stalls: StallWatch
  readonly #beganMs: number
  readonly #mostStreams: number
  readonly #mostHeadBytes: number
  /** Of the requests that are open. */
  #headBytes = 0
  /** 'told': it knows that we are about to leave; 'left': what it sends now is not looked at. */
  #draining: 'no' | 'told' | 'left' = 'no'
  #sinceMs: number
  #wasIdle = false
  /** The frame whose rest is waited for, and since when. */
  #unfinished = 0
  #unfinishedSinceMs = 0
  #lingerMs = lingerMs
  #gone = false
  deadlineMs: number

  constructor(wire: Wire, options: Http2ServerOptions) {
    this.options = options
    this.#beganMs = this.#sinceMs = options.nowMs()
    this.deadlineMs = this.#beganMs + lookEveryMs
    const { downstream, nowMs } = options
    const trusted = downstream.principal !== undefined
    this.#mostStreams = trusted ? maxConcurrentMeshStreams : maxConcurrentStreams
    this.#mostHeadBytes = trusted ? maxOpenMeshHeadBytes : maxOpenHeadBytes
    this.session = new Session(wire, this, {
      isServer: true,
      trusted,
      nowMs,
      maxConcurrentStreams: this.#mostStreams,
      form: options.form,
    })
    this.#stalls = new StallWatch(options.streamIdleTimeoutMs)
  }

  onNewStream(id: number, block: HeadBlock | undefined, endStream: boolean, selfDependent: boolean): void {
    const { session } = this
    session.highestId = id
    if (id > lastFreshStreamId) this.drain()
    if (this.#draining === 'left') {
      session.closed.add(id, true)
      return
    }
    const headBytes = block === undefined ? 0 : block.listBytes
    if (session.streams.size >= this.#mostStreams || this.#headBytes + headBytes > this.#mostHeadBytes) {
      this.#reset(id, errorCode.refusedStream)
      return
    }
    const head = selfDependent ? selfDependence : block === undefined ? tooLarge : session.form.request(block)
    if ('reason' in head) this.#refuseHead(id, head, endStream)
    else if (head.expects === 'unknown') this.#refuseHead(id, unknownExpectation, endStream)
    else if (head.tunnel === 'connect' && this.options.connect === undefined)
      this.#refuseHead(id, noTunnels, endStream)
    else this.#serve(new ServerStream(id, this, head, headBytes), endStream)
  }

  /** A request that cannot be served, and why; `wants`: there is more of it to come. */
  refuse(id: number, error: WireError, more: boolean): void {
    const { form, out } = this.session
    const text = `${error.code}: ${error.message}\n`
    const headers = HeaderList.of('content-type', 'text/plain', 'weft-error', error.flag)
    const { status } = error
    form.writeReply(out, id, { status, reason: statusText(status), headers, bodyLength: text.length }, false)
    out.lastText(id, text)
    if (more) out.reset(id, errorCode.noError)
  }

  violated(reason: string, began: boolean): void {
    if (!began) this.options.onFlag('DPE')
    this.options.onViolation(new WireError(400, reason), began)
  }

  /** A reply has begun: under pressure the connection ends with it. */
  replied(): void {
    const { admission, downstream } = this.options
    if (admission.closing && admission.closes(downstream.meshTls)) this.drain()
  }

  /** A request of so many header bytes is over. */
  forget(headBytes: number): void {
    this.#headBytes -= headBytes
  }

  onStreamOver(): void {
    if (this.session.streams.size > 0) return
    this.#wasIdle = false
    if (this.#draining === 'left') this.session.close()
  }

  onSettings(): void {}

  /** The client takes no streams of ours, as we push none; what it has begun goes on. */
  onGoaway(): void {}

  onPingAck(): void {
    if (this.#draining === 'told') this.#leave()
  }

  /** What is open has no client any more: it would need windows, and nobody stops to listen on in HTTP/2. */
  onEnd(): void {
    this.session.close()
  }

  onOver(error: Error | undefined): void {
    this.#sinceMs = this.options.nowMs()
    if (!(error instanceof ConnectionFault)) return
    this.#lingerMs = faultLingerMs
    this.deadlineMs = this.#sinceMs + faultLingerMs
    this.violated(error.message, false)
  }

  onClose(): void {
    if (this.#gone) return
    this.#gone = true
    this.options.onClosed(this)
  }

  /** Takes nothing new once the client knows, lets finish what is in flight, and closes (RFC 9113 6.8). */
  drain(): void {
    if (this.#draining !== 'no' || this.session.over) return
    this.#draining = 'told'
    this.#sinceMs = this.options.nowMs()
    const { out } = this.session
    out.goaway(largestStreamId, errorCode.noError, '')
    // What it has sent before it knew is here when this is answered.
    out.ping(drainPing, 0, 0)
  }

  destroy(): void {
    this.session.destroy()
  }

  onDeadline(): void {
    const now = this.options.nowMs()
    this.deadlineMs = now + lookEveryMs
    const { session } = this
    if (session.over) {
      // Its last reply may still be on its way to a slow reader.
      const unsent = this.#lingerMs === lingerMs && session.unsent
      const mostMs = unsent ? this.options.streamIdleTimeoutMs : this.#lingerMs
      if (now - this.#sinceMs >= mostMs) session.destroy()
      return
    }
    const { headTimeoutMs } = this.options
    const ageMs = now - this.#beganMs
    if (!session.greeted && ageMs >= headTimeoutMs) session.destroy()
    else if (!session.acknowledged && now - session.settingsSentMs >= settingsTimeoutMs)
      session.fail(new ConnectionFault(errorCode.settingsTimeout, 'SETTINGS are not acknowledged'))
    else if (
      this.#drips(now) ||
      (session.assembly.id !== 0 && now - session.assembly.sinceMs >= headTimeoutMs)
    )
      session.fail(new ConnectionFault(errorCode.enhanceYourCalm, 'a header block took too long'))
    else if (this.#draining === 'told' && now - this.#sinceMs >= drainPingTimeoutMs) this.#leave()
    else if (session.streams.size > 0) this.#stalls.look(session, now)
    else this.#watchIdle(now)
  }

  /** The rest of a frame has not come in the time of a head, which most of them are. */
  #drips(now: number): boolean {
    const { unfinished } = this.session
    if (unfinished !== this.#unfinished) this.#unfinishedSinceMs = now
    this.#unfinished = unfinished
    return unfinished !== 0 && now - this.#unfinishedSinceMs >= this.options.headTimeoutMs
  }

  #watchIdle(now: number): void {
    if (this.#draining !== 'no') return
    if (!this.#wasIdle) {
      this.#wasIdle = true
      this.#sinceMs = now
    } else if (now - this.#sinceMs >= this.options.idleTimeoutMs) {
      this.drain()
    }
  }

  #leave(): void {
    const { session } = this
    this.#draining = 'left'
    session.lastId = session.highestId
    session.out.goaway(session.lastId, errorCode.noError, '')
    if (session.streams.size === 0) session.close()
  }

  #serve(stream: ServerStream, endStream: boolean): void {
    this.#headBytes += stream.headBytes
    this.session.add(stream)
    stream.start(endStream)
  }

  #refuseHead(id: number, { reason, status }: Malformed, endStream: boolean): void {
    if (status !== undefined) {
      this.#answer(id, new WireError(status, reason), endStream)
    } else {
      this.violated(reason, false)
      this.#reset(id, errorCode.protocolError)
    }
  }

  #answer(id: number, error: WireError, endStream: boolean): void {
    const { session } = this
    this.options.onFlag(error.flag)
    this.options.onViolation(error, false)
    session.countReset()
    if (session.over) return
    this.refuse(id, error, !endStream)
    session.closed.add(id, true)
  }

  #reset(id: number, code: number): void {
    const { session } = this
    session.countReset()
    if (session.over) return
    session.closed.add(id, true)
    session.out.reset(id, code)
    session.answered()
  }
}

const selfDependence: Malformed = { reason: 'a stream depends on itself' }
const tooLarge: Malformed = { reason: 'the header is too large', status: 431 }
const unknownExpectation: Malformed = { reason: 'unknown expectation', status: 417 }
const noTunnels: Malformed = { reason: connectNotAllowed, status: 405 }
