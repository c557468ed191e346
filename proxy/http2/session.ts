/**
 * One connection's frames, the same for both sides: what concerns the connection is dealt with here, what concerns a
 * stream is passed on to it. What is written in one turn of the event loop leaves in one piece.
 */
import type { Buffer } from 'node:buffer'
import type { Wire, WireReader } from '../listen/wire.ts'
import { flushAtTurnsEnd } from '../listen/write-turn.ts'
import { Budgets } from './budgets.ts'
import { ClosedStreams } from './closed-streams.ts'
import { ConnectionFault } from './faults.ts'
import { FrameOutput } from './frame-output.ts'
import { FrameReader } from './frame-reader.ts'
import {
  clientPreface,
  defaultWindowBytes,
  errorCode,
  largestStreamId,
  largestWindow,
  setting,
} from './frame-types.ts'
import { HeaderAssembly } from './header-assembly.ts'
import type { HeadBlock, HeadForm } from './head-form.ts'
import { IncomingFrames } from './incoming-frames.ts'
import {
  initialConnectionWindowBytes,
  initialStreamWindowBytes,
  maxHeaderListBytes,
  maxUnsentBytes,
} from './limits.ts'
import { PeerSettings } from './peer-settings.ts'
import { ReceiveFlow } from './receive-flow.ts'
import { SendQueue } from './send-queue.ts'
import { StreamTable } from './stream-table.ts'
import type { Http2Stream } from './stream.ts'

/** Who opens or takes the streams. */
export interface SessionOwner {
  /** A header block for a stream that is new; undefined: it is too large. */
  onNewStream(id: number, block: HeadBlock | undefined, endStream: boolean, selfDependent: boolean): void
  /** The peer's SETTINGS are in force. */
  onSettings(): void
  onGoaway(lastId: number, code: number): void
  onPingAck(): void
  /** A stream is over; `byUs`: the peer may not know yet. */
  onStreamOver(byUs: boolean): void
  /** The peer sends no more. */
  onEnd(): void
  /** It is over; `fault` says why when a peer broke the rules. Called once, before the streams are told. */
  onOver(error: Error | undefined): void
  /** Its wire is closed; the last call. */
  onClose(): void
}

export type SessionOptions = {
  readonly isServer: boolean
  /** The peer has proven who it is. */
  readonly trusted: boolean
  readonly nowMs: () => number
  readonly maxConcurrentStreams: number
  readonly form: HeadForm
}

const flushAboveBytes = 64 * 1024

export class Session implements WireReader {
  readonly isServer: boolean
  readonly peer = new PeerSettings()
  readonly streams = new StreamTable<Http2Stream>()
  readonly closed = new ClosedStreams()
  readonly budgets: Budgets
  readonly assembly = new HeaderAssembly()
  readonly owner: SessionOwner
  readonly form: HeadForm
  readonly nowMs: () => number
  readonly flow: ReceiveFlow
  /** When the last of our SETTINGS were sent. */
  settingsSentMs: number
  /** The highest id that was in use. */
  highestId = 0
  /** Neither reads nor writes any more. */
  over = false
  /** Windows that may be opened for nothing: two for each stream and each DATA frame written, its own and the connection's. */
  updatesDue = 0
  /** DATA was written since the last PING: a peer that measures how much is under way asks after that (gRPC does). */
  pingDue = false
  /** No stream above it is looked at: so it was said, and may not be taken back. */
  lastId = largestStreamId
  /** Reads since it began; whoever compares it knows whether the peer is alive. */
  reads = 0
  readonly #wire: Wire
  readonly #reader: FrameReader
  readonly #frames: IncomingFrames
  readonly #output = new FrameOutput()
  readonly #queue = new SendQueue()
  #prefaceLeft: number
  #scheduled = false
  /** Answers written while the wire takes nothing. */
  #unsentAnswers = 0

  constructor(wire: Wire, owner: SessionOwner, options: SessionOptions) {
    this.#wire = wire
    this.owner = owner
    this.form = options.form
    this.isServer = options.isServer
    this.#prefaceLeft = options.isServer ? clientPreface.length : 0
    this.nowMs = options.nowMs
    this.settingsSentMs = options.nowMs()
    this.flow = new ReceiveFlow(this, options.isServer && !options.trusted)
    this.budgets = new Budgets(options.trusted || !options.isServer, options.nowMs, () => this.highestId / 2)
    this.#frames = new IncomingFrames(this)
    this.#reader = new FrameReader(this.#frames)
    this.#greet(options.maxConcurrentStreams)
  }

  /** The peer's settings are known. */
  get greeted(): boolean {
    return this.#frames.control.settingsSeen
  }

  /** The peer has seen ours. */
  get acknowledged(): boolean {
    return this.#frames.control.settingsOwed === 0
  }

  /** As `FrameReader.unfinished`. */
  get unfinished(): number {
    return this.#reader.unfinished
  }

  /** For whoever writes a frame: it leaves when the turn of the event loop ends. */
  get out(): FrameOutput {
    if (!this.#scheduled) {
      this.#scheduled = true
      flushAtTurnsEnd(this)
    }
    return this.#output
  }

  /** What was written has not left yet. */
  get unsent(): boolean {
    return this.#wire.unsentBytes > 0
  }

  /** Whether DATA may be written. */
  get hasRoom(): boolean {
    return !this.#queue.full
  }

  onBytes(buffer: Buffer, start: number, end: number): void {
    if (this.over) return
    this.reads++
    try {
      const from = this.#prefaceLeft === 0 ? start : this.#readPreface(buffer, start, end)
      if (from < end) this.#reader.read(buffer, from, end)
    } catch (error) {
      this.fail(faultOf(error))
    }
  }

  onEnd(): void {
    if (!this.over) this.owner.onEnd()
  }

  onClose(error: Error | undefined): void {
    this.#finish(error)
    this.owner.onClose()
  }

  onDrain(): void {
    this.#unsentAnswers = 0
    this.#queue.pumpWire()
  }

  flush(): void {
    this.#scheduled = false
    this.#send()
  }

  #send(): void {
    const pieces = this.#output.buffer.take()
    if (pieces.length > 0 && !this.#wire.writeLent(pieces)) this.#queue.full = true
  }

  /** DATA was written: much of it leaves at once. */
  wrote(): void {
    this.updatesDue += 2
    this.pingDue = true
    // Its place at the turn's end stays: with one for each such write it would push others out of theirs.
    if (this.#output.buffer.size >= flushAboveBytes) this.#send()
  }

  /** Takes up to `bytes` out of the connection's window; a stream may have to wait for others. */
  mostToSend(bytes: number): number {
    const count = Math.min(bytes, this.#queue.windowBytes)
    if (count > 0) this.#queue.windowBytes -= count
    return count
  }

  /** All of `bytes`, or none. */
  takeSendWindow(bytes: number): boolean {
    const queue = this.#queue
    if (queue.full || !queue.empty || queue.windowBytes < bytes) return false
    queue.windowBytes -= bytes
    return true
  }

  /** The peer has opened the window of `stream`. */
  resume(stream: Http2Stream): void {
    if (!stream.queued) stream.pump()
    this.#queue.pumpWindow()
  }

  block(stream: Http2Stream): void {
    this.#queue.block(stream)
  }

  /** The peer lets all streams send `by` more; false: more than there can be. */
  openSendWindow(by: number): boolean {
    if (!this.#queue.open(by)) return false
    this.#queue.pumpWindow()
    return true
  }

  /** Settings of ours other than those that the connection began with. */
  changeSettings(entries: readonly (readonly [number, number])[]): void {
    this.#frames.control.settingsOwed++
    this.settingsSentMs = this.nowMs()
    this.out.settings(entries)
  }

  /** The peer's settings were taken over. */
  applied(windowBy: number): void {
    this.#output.encoder.setMaxTableBytes(this.peer.headerTableBytes)
    if (windowBy > 0) for (const stream of this.streams.all()) if (stream.stalled) this.block(stream)
    if (windowBy > 0) this.#queue.pumpWindow()
  }

  changeWindows(by: number): void {
    for (const stream of this.streams.all()) {
      if (stream.sendWindowBytes + by > largestWindow)
        throw new ConnectionFault(errorCode.flowControlError, 'INITIAL_WINDOW_SIZE makes a window too large')
      stream.sendWindowBytes += by
    }
  }

  /** A frame that the peer asked for was written; one that asks and does not read is let go. */
  answered(): void {
    if (!this.#queue.full) return
    if (++this.#unsentAnswers > maxUnsentAnswers || this.#output.buffer.size > maxUnsentBytes)
      throw new ConnectionFault(errorCode.enhanceYourCalm, 'answers are not read')
  }

  /** A stream was reset before its time, by the peer or by its fault. Ends the session of who does little else. */
  countReset(): void {
    try {
      this.budgets.resets.take()
    } catch (error) {
      this.fail(error as ConnectionFault)
    }
  }

  add(stream: Http2Stream): void {
    this.streams.add(stream)
    this.updatesDue += 2
    this.highestId = Math.max(this.highestId, stream.id)
  }

  remove(stream: Http2Stream, byUs: boolean): void {
    if (!this.streams.remove(stream)) return
    this.closed.add(stream.id, byUs)
    this.owner.onStreamOver(byUs)
  }

  /** A whole body that follows the header block at hand in the same read, as latin1; it ends its stream. */
  takeNextBody(id: number): string | undefined {
    return this.#frames.takeNextBody(id)
  }

  /** The peer broke the rules, or one of ours: says so, and ends. */
  fail(fault: ConnectionFault): void {
    if (this.over) return
    this.out.goaway(this.isServer ? Math.min(this.highestId, this.lastId) : 0, fault.code, fault.message)
    this.flush()
    this.#finish(fault)
    this.#wire.end()
  }

  /** Ends in good order: nothing is open any more. */
  close(): void {
    if (this.over) return
    this.flush()
    this.#finish(undefined)
    this.#wire.end()
  }

  destroy(): void {
    if (!this.over) this.flush()
    this.#wire.destroy()
  }

  /** Everything that is open breaks. */
  #finish(error: Error | undefined): void {
    if (this.over) return
    this.over = true
    this.owner.onOver(error)
    const gone = error ?? new Error('the peer closed the connection')
    // All of them first: what one of them leaves must not be taken by another that is gone as well.
    const streams = this.streams.all()
    for (const stream of streams) stream.leave(true)
    for (const stream of streams) stream.onBroken(gone)
  }

  /** Where the frames begin. */
  #readPreface(buffer: Buffer, start: number, end: number): number {
    const at = clientPreface.length - this.#prefaceLeft
    const stop = Math.min(end, start + this.#prefaceLeft)
    if (buffer.latin1Slice(start, stop) !== clientPreface.slice(at, at + stop - start))
      throw new ConnectionFault(errorCode.protocolError, 'this is not HTTP/2')
    this.#prefaceLeft -= stop - start
    return stop
  }

  #greet(maxConcurrentStreams: number): void {
    const { out } = this
    if (!this.isServer) out.preface()
    const window = [setting.initialWindowSize, initialStreamWindowBytes] as const
    const list = [setting.maxHeaderListSize, maxHeaderListBytes] as const
    const own = this.isServer
      ? ([setting.maxConcurrentStreams, maxConcurrentStreams] as const)
      : ([setting.enablePush, 0] as const)
    if (this.isServer && this.form.takesWebSockets)
      out.settings([own, window, list, [setting.enableConnectProtocol, 1]])
    else out.settings([own, window, list])
    out.windowUpdate(0, initialConnectionWindowBytes - defaultWindowBytes)
  }
}

const maxUnsentAnswers = 1000

function faultOf(error: unknown): ConnectionFault {
  if (error instanceof ConnectionFault) return error
  return new ConnectionFault(errorCode.internalError, (error as Error).message)
}
