/**
 * What the streams of both sides have in common: DATA that goes out within the windows, DATA that comes in, and the end
 * of each direction.
 */
import { Buffer } from 'node:buffer'
import type { Body, BodySink, BodySource } from '../body.ts'
import { framed, HeaderFields } from '../header-fields.ts'
import { HeaderList } from '../header-list.ts'
import { giveBack, lendCopy } from '../slabs.ts'
import { StreamFault } from './faults.ts'
import { errorCode, maxFrameBytes } from './frame-types.ts'
import type { HeaderBlock } from './hpack/header-block.ts'
import { initialStreamWindowBytes, maxStreamWindowBytes } from './limits.ts'
import { trailerFields } from './message-fields.ts'
import { ReceiveWindow } from './receive-window.ts'
import type { Session } from './session.ts'

const noPseudo: readonly string[] = []

export abstract class Http2Stream implements BodySource, BodySink {
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
  /** Content sent, held back included. */
  sentBytes = 0
  /** What comes in. */
  incoming: Body | undefined = undefined
  /** What goes out, unless it was there at once. */
  outgoing: Body | undefined = undefined
  /** Content that may still come; -1: not said. */
  expectedBytes = -1
  readonly #held: Buffer[] = []
  #heldFrom = 0
  #heldBytes = 0
  /** The end waits behind what is held. */
  #endingWith: HeaderList | undefined
  /** Where the flags of our last DATA frame are, and until when. */
  #flagsAt = 0
  #epoch = -1
  #window: ReceiveWindow | undefined
  #paused = false
  #wasPaused = false
  #parkedBytes = 0

  constructor(id: number, session: Session) {
    this.id = id
    this.session = session
    this.sendWindowBytes = session.peer.initialWindowBytes
  }

  /** A header block, undefined: one that is too large. */
  abstract onHeaders(block: HeaderBlock | undefined, endStream: boolean): void
  /** The peer has given it up. */
  abstract onReset(code: number): void
  /** It cannot go on: by the peer's fault, or because the connection is gone. It is over already. */
  abstract onBroken(error: Error): void
  /** The last byte of what we had to say was sent. */
  abstract onSent(): void

  /** Waits for the peer to let it send. */
  get stalled(): boolean {
    return this.#held.length > 0
  }

  /** It is the peer's turn: to open its window, or to send what it has begun. */
  get waitsForPeer(): boolean {
    const receiving = this.incoming !== undefined && !this.remoteEnded && !this.#paused
    return this.stalled || (receiving && this.outgoing === undefined)
  }

  get movedBytes(): number {
    return this.sentBytes - this.#heldBytes + (this.incoming?.receivedBytes ?? 0)
  }

  /** May be silent for long, and mean it. */
  abstract get isPatient(): boolean

  write(piece: Buffer): boolean {
    const { length } = piece
    if (this.over || length === 0) return true
    this.sentBytes += length
    const from = this.#held.length === 0 ? this.#send(piece, 0, length) : 0
    if (from < length) this.#hold(piece, from)
    else if (this.session.hasRoom) return true
    this.session.block(this)
    return false
  }

  end(trailers: HeaderList): void {
    if (this.over || this.localEnded) return
    if (this.#held.length > 0) this.#endingWith = trailers
    else this.#end(trailers)
  }

  abort(error: Error): void {
    if (!this.over) this.onAborted(error)
  }

  /** The body that goes out will never be complete. */
  abstract onAborted(error: Error): void

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
      this.write(Buffer.from(content, 'latin1'))
      this.end(noTrailers)
    }
  }

  /** There is room again: sends one frame of what is held, or asks for more. */
  pump(): void {
    if (this.over) return
    const piece = this.#held[0]
    if (piece === undefined) {
      this.outgoing?.resume()
      return
    }
    const from = this.#heldFrom
    const sent = this.#send(piece, from, Math.min(piece.length, from + maxFrameBytes))
    this.#heldBytes -= sent - from
    if (sent === piece.length) {
      this.#held.shift()
      giveBack(piece)
      this.#heldFrom = 0
    } else {
      this.#heldFrom = sent
    }
    if (this.#held.length > 0) this.session.block(this)
    else if (this.#endingWith !== undefined) this.#end(this.#endingWith)
    else if (this.session.hasRoom) this.outgoing?.resume()
    else this.session.block(this)
  }

  /** Counts a DATA frame of `bytes`, padding included, against what the peer may send. */
  takeWindow(bytes: number): boolean {
    this.#window ??= new ReceiveWindow(initialStreamWindowBytes)
    return this.#window.take(bytes)
  }

  /** Content of a DATA frame, perhaps a part of it. */
  onData(buffer: Buffer, from: number, to: number, endStream: boolean): void {
    const body = this.incoming
    const length = to - from
    if (body === undefined || (length > 0 && !this.takesData)) {
      this.fail(errorCode.protocolError, 'DATA where no content may be')
      return
    }
    if (this.expectedBytes !== -1 && (this.expectedBytes -= length) < 0) {
      this.fail(errorCode.protocolError, 'more content than content-length says')
      return
    }
    if (length > 0) {
      body.push(buffer.subarray(from, to))
      if (this.over) return
      if (this.#paused) this.#park(length)
      else this.credit(length)
    }
    if (endStream) this.finishIncoming(undefined)
  }

  /** Whether there may be content at all. */
  abstract get takesData(): boolean

  /** The peer's last frame; `block` holds its trailers. */
  finishIncoming(block: HeaderBlock | undefined): void {
    if (this.expectedBytes > 0) {
      this.fail(errorCode.protocolError, 'less content than content-length says')
      return
    }
    if (block !== undefined && (block.malformed !== undefined || hasPseudo(block))) {
      this.fail(errorCode.protocolError, block.malformed ?? 'pseudo-fields in trailers')
      return
    }
    this.remoteEnded = true
    if (this.localEnded) this.leave(false)
    const trailers = block === undefined ? undefined : trailersOf(block)
    this.incoming?.finish(trailers)
    this.onReceived()
  }

  /** The peer has said all. */
  abstract onReceived(): void

  pauseBody(): void {
    this.#paused = true
    this.#wasPaused = true
  }

  resumeBody(): void {
    this.#paused = false
    const parked = this.#parkedBytes
    if (parked === 0) return
    this.#parkedBytes = 0
    this.session.unpark(parked)
    this.credit(parked)
  }

  /** `bytes` have moved on: the peer may send as many more, and more than before when nothing ever had to wait. */
  credit(bytes: number): void {
    const window = this.#window
    if (window === undefined || this.remoteEnded || this.over) return
    let by = window.credit(bytes)
    if (by === 0) return
    if (!this.#wasPaused && window.sizeBytes < maxStreamWindowBytes) {
      by += window.grow(2 * window.sizeBytes)
      this.session.makeRoomFor(window.sizeBytes)
    }
    this.#wasPaused = false
    this.session.out.windowUpdate(this.id, by)
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
    this.leave(true)
  }

  /** Is over; `byUs`: the peer may not know yet. */
  leave(byUs: boolean): void {
    if (this.over) return
    this.over = true
    for (const piece of this.#held) giveBack(piece)
    this.#held.length = 0
    if (this.#parkedBytes > 0) this.session.unpark(this.#parkedBytes)
    this.#parkedBytes = 0
    this.session.remove(this, byUs)
  }

  #hold(piece: Buffer, from: number): void {
    this.#heldBytes += piece.length - from
    this.#held.push(lendCopy(piece.subarray(from)))
  }

  #park(bytes: number): void {
    this.#parkedBytes += bytes
    this.session.park(bytes)
  }

  /** Sends what the windows and the wire have room for; returns where it stopped. */
  #send(bytes: Buffer, from: number, to: number): number {
    const { session } = this
    let at = from
    while (at < to && session.hasRoom) {
      const count = session.mostToSend(Math.min(to - at, this.sendWindowBytes, maxFrameBytes))
      if (count <= 0) break
      this.sendWindowBytes -= count
      const { out } = session
      out.data(this.id, bytes, at, at + count, false)
      this.#flagsAt = out.dataFlagsAt
      this.#epoch = out.buffer.epoch
      at += count
      session.wrote()
    }
    return at
  }

  #end(trailers: HeaderList): void {
    const { out } = this.session
    if (this.sendsTrailers && trailers.lines !== '') out.headers(this.id, noPseudo, trailers, true)
    else if (this.#epoch === out.buffer.epoch) out.endWithData(this.#flagsAt)
    else out.data(this.id, noBytes, 0, 0, true)
    this.endLocal()
  }

  abstract get sendsTrailers(): boolean

  /** We have said all. */
  endLocal(): void {
    this.localEnded = true
    this.#endingWith = undefined
    if (this.remoteEnded) this.leave(false)
    this.onSent()
  }
}

const noBytes = Buffer.alloc(0)
const noTrailers = new HeaderList()

function hasPseudo({ method, scheme, authority, path, status, protocol }: HeaderBlock): boolean {
  return [method, scheme, authority, path, status, protocol].some((value) => value !== undefined)
}

function trailersOf(block: HeaderBlock): HeaderList {
  const { neverIndexed } = block
  return new HeaderFields({ ...trailerFields(block.fields), authority: undefined, neverIndexed }, framed)
}
