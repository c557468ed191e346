/**
 * What the streams of both sides have in common. Whatever needs content in pieces has an object of its own for that:
 * most messages are small, and there at once.
 */
import { Buffer } from 'node:buffer'
import type { Body } from '../body.ts'
import { HeaderList } from '../header-list.ts'
import { StreamFault } from './faults.ts'
import { errorCode, maxFrameBytes } from './frame-types.ts'
import type { HeadBlock } from './head-form.ts'
import type { IncomingContent } from './incoming-content.ts'
import { OutgoingContent } from './outgoing-content.ts'
import type { Session } from './session.ts'

/** Of a stream that we reset its peer may have sent a header block already, and a reset of its own. */
const crossingFrames = 2
const noTrailers = new HeaderList()

export abstract class Http2Stream {
  readonly id: number
  readonly session: Session
  /** What the peer lets us send; below zero when it has changed its mind. */
  sendWindowBytes: number
  /** We have said all. */
  localEnded = false
  /** The peer has said all. */
  remoteEnded = false
  /** Neither side has anything to say, or wants to hear anything. */
  over = false
  /** Waits in one of the session's queues. */
  queued = false
  /** Content sent, what is held back included. */
  sentBytes = 0
  incoming: IncomingContent | undefined = undefined
  outgoing: OutgoingContent | undefined = undefined

  constructor(id: number, session: Session) {
    this.id = id
    this.session = session
    this.sendWindowBytes = session.peer.initialWindowBytes
  }

  /** A header block, undefined: one that is too large. */
  abstract onHeaders(block: HeadBlock | undefined, endStream: boolean): void
  /** The peer has given it up. */
  abstract onReset(code: number): void
  /** It cannot go on: by the peer's fault, or because the connection is gone. It is over already. */
  abstract onBroken(error: Error): void
  /** The last byte of what we had to say was sent. */
  abstract onSent(): void
  /** The peer has said all. */
  abstract onReceived(): void
  /** The body that goes out will never be complete. */
  abstract onAborted(error: Error): void
  /** Whether there may be content at all. */
  abstract get takesData(): boolean
  abstract get sendsTrailers(): boolean
  /** May be silent for long, and mean it. */
  abstract get isPatient(): boolean

  /** Has something to send, and may not. */
  get stalled(): boolean {
    return this.outgoing?.stalled === true
  }

  /** It is the peer's turn: to open its window, or to send what it has begun, where it may not take its time. */
  get waitsForPeer(): boolean {
    const { incoming, outgoing } = this
    const receiving = incoming !== undefined && !this.remoteEnded && !incoming.paused && !this.isPatient
    return this.stalled || (receiving && outgoing === undefined)
  }

  get movedBytes(): number {
    const held = this.outgoing?.heldBytes ?? 0
    return this.sentBytes - held + (this.incoming?.body.receivedBytes ?? 0)
  }

  /** Content that comes in pieces. */
  sendBody(body: Body): void {
    this.outgoing = new OutgoingContent(this, body)
    body.start(this.outgoing)
  }

  /** Content that is all there; it ends the stream. */
  sendLast(content: string): void {
    const { length } = content
    const { session } = this
    const fits = length <= maxFrameBytes && length <= this.sendWindowBytes
    if (fits && session.takeSendWindow(length)) {
      this.sentBytes += length
      this.sendWindowBytes -= length
      session.out.lastText(this.id, content)
      session.wrote()
      this.endLocal()
    } else {
      this.outgoing = new OutgoingContent(this, undefined)
      this.outgoing.write(Buffer.from(content, 'latin1'))
      this.outgoing.end(noTrailers)
    }
  }

  /** There is room again. */
  pump(): void {
    if (!this.over) this.outgoing?.pump()
  }

  /** Counts a DATA frame of `bytes`, padding included, against what the peer may send. */
  takeWindow(bytes: number): boolean {
    return this.incoming === undefined || this.incoming.take(bytes)
  }

  /** Content of a DATA frame, perhaps a part of it. */
  onData(buffer: Buffer, from: number, to: number, endStream: boolean): void {
    const { incoming } = this
    if (incoming === undefined || (to > from && !this.takesData)) {
      this.fail(errorCode.protocolError, 'DATA where no content may be')
      return
    }
    incoming.push(buffer, from, to)
    if (endStream && !this.over) this.finishIncoming(undefined)
  }

  /** The peer's last frame; `block` holds its trailers. */
  finishIncoming(block: HeadBlock | undefined): void {
    const { incoming } = this
    if (incoming?.whole === false) {
      this.fail(errorCode.protocolError, 'less content than content-length says')
      return
    }
    const trailers = block === undefined ? undefined : this.session.form.trailers(block)
    if (typeof trailers === 'string') {
      this.fail(errorCode.protocolError, trailers)
      return
    }
    this.remoteEnded = true
    if (this.localEnded) this.leave(false)
    incoming?.body.finish(trailers)
    this.onReceived()
  }

  /** Breaks off by the peer's fault. */
  fail(code: number, reason: string): void {
    if (this.over) return
    this.session.countReset()
    if (this.over) return
    this.reset(code)
    this.onBroken(new StreamFault(code, reason))
  }

  /** Tells the peer that it is over. */
  reset(code: number): void {
    if (this.over) return
    this.session.out.reset(this.id, code)
    this.session.budgets.noise.give(crossingFrames)
    this.leave(true)
  }

  /** Is over; `byUs`: the peer may not know yet. */
  leave(byUs: boolean): void {
    if (this.over) return
    this.over = true
    this.outgoing?.drop()
    this.incoming?.release()
    this.session.remove(this, byUs)
  }

  /** We have said all. */
  endLocal(): void {
    this.localEnded = true
    if (this.remoteEnded) this.leave(false)
    this.onSent()
  }
}
