/** What each frame means (RFC 9113 section 6), and what is wrong with it. */
import type { Buffer } from 'node:buffer'
import { ControlFrames } from './control-frames.ts'
import { ConnectionFault, protocolError, sizeError } from './faults.ts'
import { type FrameHandler, idAt } from './frame-reader.ts'
import {
  ackFlag,
  continuationFrame,
  dataFrame,
  endHeadersFlag,
  endStreamFlag,
  errorCode,
  frameHeaderBytes,
  goawayFrame,
  headersFrame,
  largestWindow,
  paddedFlag,
  pingFrame,
  priorityFlag,
  priorityFrame,
  pushPromiseFrame,
  resetFrame,
  settingsFrame,
  windowUpdateFrame,
} from './frame-types.ts'
import { inlineBodyBytes } from './limits.ts'
import type { Session } from './session.ts'
import type { Http2Stream } from './stream.ts'

/** Below this a window update is hardly worth its frame. */
const smallUpdateBytes = 1024
/** Of a larger one that nothing was sent for: some peers read less at a time than we send. */
const largeUpdateCost = 1 / 16

export class IncomingFrames implements FrameHandler {
  readonly #session: Session
  readonly control: ControlFrames
  /** Where the frame behind a header block begins, while that is dealt with. */
  #buffer: Buffer | undefined
  #next = 0
  #end = 0
  /** Whom the parts of a DATA frame are for. */
  #partsFor: Http2Stream | undefined

  constructor(session: Session) {
    this.#session = session
    this.control = new ControlFrames(session)
  }

  get over(): boolean {
    return this.#session.over
  }

  onFrame(
    type: number,
    flags: number,
    id: number,
    buffer: Buffer,
    from: number,
    to: number,
    end: number,
  ): number {
    if (!this.control.settingsSeen && (type !== settingsFrame || (flags & ackFlag) !== 0))
      throw protocolError('the first frame is not SETTINGS')
    if (this.#session.assembly.id !== 0 && type !== continuationFrame)
      throw protocolError('a header block is not continued')
    switch (type) {
      case dataFrame:
        this.#onData(flags, id, buffer, from, to)
        return to
      case headersFrame:
        this.#buffer = buffer
        this.#next = to
        this.#end = end
        this.#onHeaders(flags, id, buffer, from, to)
        this.#buffer = undefined
        return this.#next
      case windowUpdateFrame:
        this.#onWindowUpdate(id, buffer, from, to - from)
        return to
      default:
        this.#onRareFrame(type, flags, id, buffer, from, to)
        return to
    }
  }

  onDataBegin(id: number, length: number): void {
    if (!this.control.settingsSeen) throw protocolError('the first frame is not SETTINGS')
    if (this.#session.assembly.id !== 0) throw protocolError('a header block is not continued')
    this.#partsFor = this.#dataFor(id, length)
  }

  onDataPart(_id: number, flags: number, buffer: Buffer, from: number, to: number, last: boolean): void {
    const stream = this.#partsFor
    if (last) this.#partsFor = undefined
    if (stream === undefined || stream.over) return
    stream.onData(buffer, from, to, last && (flags & endStreamFlag) !== 0)
  }

  /** As `Session.takeNextBody`. */
  takeNextBody(id: number): string | undefined {
    const buffer = this.#buffer
    const at = this.#next
    const from = at + frameHeaderBytes
    if (buffer === undefined || from > this.#end) return undefined
    if (buffer[at + 3] !== dataFrame || buffer[at + 4] !== endStreamFlag) return undefined
    const length = ((buffer[at + 1] as number) << 8) | (buffer[at + 2] as number)
    if (buffer[at] !== 0 || length > inlineBodyBytes || from + length > this.#end) return undefined
    // Within the window of any stream.
    if (idAt(buffer, at + 5) !== id || !this.#session.flow.receive(length)) return undefined
    this.#next = from + length
    return buffer.latin1Slice(from, this.#next)
  }

  #onRareFrame(type: number, flags: number, id: number, buffer: Buffer, from: number, to: number): void {
    switch (type) {
      case priorityFrame:
        this.control.onPriority(id, buffer, from, to - from)
        return
      case resetFrame:
        this.#onReset(id, buffer, from, to - from)
        return
      case settingsFrame:
        this.control.onSettings(flags, id, buffer, from, to)
        return
      case pushPromiseFrame:
        throw protocolError('PUSH_PROMISE was not asked for')
      case pingFrame:
        this.control.onPing(flags, id, buffer, from, to - from)
        return
      case goawayFrame:
        this.control.onGoaway(id, buffer, from, to - from)
        return
      case continuationFrame:
        this.#onContinuation(flags, id, buffer, from, to)
        return
      default:
        this.#session.budgets.noise.take()
    }
  }

  #onData(flags: number, id: number, buffer: Buffer, from: number, to: number): void {
    const length = to - from
    const start = (flags & paddedFlag) === 0 ? from : from + 1
    const stop = (flags & paddedFlag) === 0 ? to : to - paddingAt(buffer, from, length)
    if (stop < start) throw protocolError('more padding than frame')
    const stream = this.#dataFor(id, length)
    if (stream === undefined) return
    const ends = (flags & endStreamFlag) !== 0
    if (stop === start && !ends) this.#session.budgets.noise.take()
    // Padding has moved on as soon as it is there.
    if (length > stop - start) stream.incoming?.credit(length - (stop - start))
    stream.onData(buffer, start, stop, ends)
  }

  /** Counts a DATA frame; the stream that may take it, if there is one. */
  #dataFor(id: number, length: number): Http2Stream | undefined {
    const session = this.#session
    if (id === 0) throw protocolError('DATA for no stream')
    if (!session.flow.receive(length))
      throw new ConnectionFault(errorCode.flowControlError, 'more DATA than the connection may carry')
    const stream = session.streams.get(id)
    if (stream === undefined) {
      if (length === 0) session.budgets.noise.take()
      this.#onStrayData(id)
      return undefined
    }
    if (stream.remoteEnded) {
      stream.fail(errorCode.streamClosed, 'DATA behind the end')
      return undefined
    }
    if (stream.takeWindow(length)) return stream
    stream.fail(errorCode.flowControlError, 'more DATA than the stream may carry')
    return undefined
  }

  #onStrayData(id: number): void {
    const session = this.#session
    if (this.#isIdle(id)) throw protocolError('DATA for a stream that is not open')
    if (session.closed.find(id) === 'reset by us') return
    session.countReset()
    if (session.over) return
    session.out.reset(id, errorCode.streamClosed)
    session.answered()
  }

  #onHeaders(flags: number, id: number, buffer: Buffer, from: number, to: number): void {
    if (id === 0) throw protocolError('HEADERS for no stream')
    let start = from
    let stop = to
    if ((flags & paddedFlag) !== 0) {
      stop -= paddingAt(buffer, from, to - from)
      start++
    }
    let selfDependent = false
    if ((flags & priorityFlag) !== 0) {
      if (to - start < 5) throw sizeError('HEADERS is too short')
      selfDependent = idAt(buffer, start) === id
      start += 5
    }
    if (stop < start) throw protocolError('more padding than frame')
    const endStream = (flags & endStreamFlag) !== 0
    const session = this.#session
    if ((flags & endHeadersFlag) !== 0)
      this.#onBlock(id, session.form.decode(buffer, start, stop), endStream, selfDependent)
    else session.assembly.begin(id, endStream, selfDependent, buffer.subarray(start, stop), session.nowMs())
  }

  #onContinuation(flags: number, id: number, buffer: Buffer, from: number, to: number): void {
    const session = this.#session
    const { assembly } = session
    assembly.add(id, buffer.subarray(from, to))
    if (from === to) session.budgets.noise.take()
    if ((flags & endHeadersFlag) === 0) return
    const { endStream, selfDependent } = assembly
    const block = assembly.finish()
    this.#onBlock(id, session.form.decode(block, 0, block.length), endStream, selfDependent)
  }

  #onBlock(
    id: number,
    block: Parameters<Http2Stream['onHeaders']>[0],
    endStream: boolean,
    selfDependent: boolean,
  ): void {
    const session = this.#session
    const stream = session.streams.get(id)
    if (stream !== undefined) {
      if (stream.remoteEnded) stream.fail(errorCode.streamClosed, 'HEADERS behind the end')
      else if (selfDependent) stream.fail(errorCode.protocolError, 'a stream depends on itself')
      else stream.onHeaders(block, endStream)
      return
    }
    if ((id & 1) === 0) throw protocolError('HEADERS for a stream that only a server opens')
    if (this.#isIdle(id)) {
      session.owner.onNewStream(id, block, endStream, selfDependent)
      return
    }
    const ended = session.closed.find(id)
    // Who answers may not know yet that nobody waits any more.
    if (ended === 'reset by us' || !session.isServer) {
      session.budgets.noise.take()
      return
    }
    if (ended === 'over')
      throw new ConnectionFault(errorCode.streamClosed, 'HEADERS for a stream that is over')
    throw protocolError('HEADERS for a stream that was passed over')
  }

  #onReset(id: number, buffer: Buffer, from: number, length: number): void {
    if (length !== 4) throw sizeError('RST_STREAM has a wrong length')
    if (id === 0 || this.#isIdle(id)) throw protocolError('RST_STREAM for a stream that is not open')
    const session = this.#session
    const stream = session.streams.get(id)
    if (stream === undefined) session.budgets.noise.take()
    else stream.onReset(buffer.readUInt32BE(from))
  }

  #onWindowUpdate(id: number, buffer: Buffer, from: number, length: number): void {
    if (length !== 4) throw sizeError('WINDOW_UPDATE has a wrong length')
    const session = this.#session
    const by = idAt(buffer, from)
    this.#chargeUpdate(by)
    if (id === 0) {
      if (by === 0) throw protocolError('WINDOW_UPDATE by nothing')
      if (!session.openSendWindow(by))
        throw new ConnectionFault(errorCode.flowControlError, 'the window is too large')
      return
    }
    const stream = session.streams.get(id)
    if (stream === undefined) {
      if (this.#isIdle(id)) throw protocolError('WINDOW_UPDATE for a stream that is not open')
    } else if (by === 0) {
      stream.fail(errorCode.protocolError, 'WINDOW_UPDATE by nothing')
    } else if (stream.sendWindowBytes + by > largestWindow) {
      stream.fail(errorCode.flowControlError, 'the window is too large')
    } else {
      stream.sendWindowBytes += by
      if (stream.stalled) session.resume(stream)
    }
  }

  /** What we have sent may be given back in crumbs, and to streams that are over. */
  #chargeUpdate(by: number): void {
    const session = this.#session
    if (session.updatesDue > 0) session.updatesDue--
    else session.budgets.noise.take(by < smallUpdateBytes ? 1 : largeUpdateCost)
  }

  /** No stream of this id was ever opened. */
  #isIdle(id: number): boolean {
    return (id & 1) === 0 || id > this.#session.highestId
  }
}

/** How much of a padded frame is padding. */
function paddingAt(buffer: Buffer, from: number, length: number): number {
  if (length === 0) throw sizeError('no room for the padding length')
  return buffer[from] as number
}
