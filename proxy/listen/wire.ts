/**
 * A connection's bytes: one reader, writes with backpressure, an idempotent close.
 * What is read comes in one buffer that all wires share, which saves a Buffer per read. Writes are gathered until the
 * event loop's turn ends.
 */
import { Buffer } from 'node:buffer'
import net from 'node:net'
import { keepAliveProbeMs } from '../../core/keep-alive.ts'
import { giveBack, lendCopy, lendSlab } from '../slabs.ts'
import { type Piece, StreamHandle } from './stream-handle.ts'
import { dealWithRead, flushAtTurnsEnd } from './write-turn.ts'

/** Who reads a wire. The bytes of `onBytes` are only valid during the call. */
export interface WireReader {
  onBytes(buffer: Buffer, start: number, end: number): void
  /** The peer will send no more (FIN); writing may still work. */
  onEnd(): void
  /** Gone in both directions; the last call. */
  onClose(error: Error | undefined): void
  /** What was written has left; called after a write returned false. */
  onDrain(): void
}

/** What four DATA frames carry, each a TLS record with its header: a full read leaves as one slab of 64 KiB. */
const readBytes = 4 * (16 * 1024 - 9)
const sharedReadBuffer = Buffer.allocUnsafeSlow(readBytes)

/** Whoever has more than this unsent is asked to wait; as much leaves at once, before the turn's end. */
const highWaterBytes = 64 * 1024
/** Pieces up to this size share memory: a peer may send its content byte by byte. */
const smallPieceBytes = 1024
/** And these, while the kernel takes no more: as many as four TLS records then are one piece. */
const sharedPieceBytes = 16 * 1024

type Closing = (done: () => void) => unknown
/** Node's own TCP handle; `_parent` leads to it from the handle of a TLS socket. */
type Handle = { close: Closing; readonly reset?: Closing; readonly _parent?: Handle }
type SocketWithHandle = net.Socket & { readonly _handle: unknown }

export class Wire {
  readonly socket: net.Socket
  #reader: WireReader | undefined
  #error: Error | undefined
  /** What is read and written past the socket; undefined before it is connected, and where Node does not let us. */
  #handle: StreamHandle | undefined
  /** Written in this turn. */
  #pieces: Piece[] = []
  /** What the last small piece lies in, with room for more of them. */
  #gatheredIn: Buffer | undefined
  #pendingBytes = 0
  /** Handed over, and not taken yet. */
  #leaving: readonly Piece[] = []
  #writtenBytes = 0
  /** A write returned false: somebody waits for `onDrain`. */
  #full = false
  #ending = false
  /** Nothing waits in the socket, so that what comes can go past it. */
  #flows = false
  readonly #onData = (piece: Buffer): void => this.#read(piece, piece.length)
  /** The socket's own 'drain' is about its own limit: here some may still have been pending when it had room. */
  readonly #onSent = (): void => this.#drained()
  readonly #onTaken = (error: Error | undefined): void => this.#taken(error)

  private constructor(socket: net.Socket) {
    this.socket = socket
    socket.on('error', (error) => {
      this.#error = error
    })
    socket.on('close', () => this.#reader?.onClose(this.#error))
    socket.on('end', () => this.#reader?.onEnd())
    socket.on('data', this.#onData)
  }

  /** Takes over a connected socket, of TCP or TLS, before anything was read from it. */
  static over(socket: net.Socket): Wire {
    const wire = new Wire(socket)
    wire.#goBelow()
    return wire
  }

  /** Dials; `onConnect` is called once the connection stands. Failure is the reader's `onClose`. */
  static connect(host: string, port: number, onConnect: () => void, from?: string): Wire {
    const source = from === undefined ? {} : { localAddress: from }
    const kept = { keepAlive: true, keepAliveInitialDelay: keepAliveProbeMs }
    const socket = net.connect({ host, port, ...source, ...kept, noDelay: true, allowHalfOpen: true })
    const wire = new Wire(socket)
    socket.once('connect', () => {
      wire.#goBelow()
      wire.flush()
      onConnect()
    })
    return wire
  }

  /** Sets who reads; reading starts with the first reader. */
  readInto(reader: WireReader): void {
    const first = this.#reader === undefined
    this.#reader = reader
    if (first) this.resume()
  }

  get closed(): boolean {
    return this.socket.destroyed
  }

  /** The peer's FIN has been read. */
  get ended(): boolean {
    return this.socket.readableEnded
  }

  /** Written, but not taken by the kernel yet. */
  get unsentBytes(): number {
    return this.#pendingBytes + (this.#handle?.queuedBytes ?? 0) + this.socket.writableLength
  }

  /** Written, and taken by the kernel. */
  get takenBytes(): number {
    return this.#writtenBytes - this.unsentBytes
  }

  /** Written in all: marks a place for `hasLeft` and `takeBack`. */
  get writtenBytes(): number {
    return this.#writtenBytes
  }

  /** Whether anything of what was written behind the place `from` can have left. */
  hasLeft(from: number): boolean {
    return this.#writtenBytes - this.#pendingBytes > from
  }

  /** Forgets what waits for the turn's end. Returns whether nothing behind the place `from` has left, or ever will. */
  takeBack(from: number): boolean {
    if (this.hasLeft(from)) return false
    giveBackAll(this.#pieces)
    this.#pieces = []
    this.#writtenBytes -= this.#pendingBytes
    this.#pendingBytes = 0
    return true
  }

  get error(): Error | undefined {
    return this.#error
  }

  /** Writes latin1 text; false asks to wait for `onDrain`. Nothing happens on a closed wire. */
  writeText(text: string): boolean {
    // TLS would begin a write of nothing, and end the process at the next one.
    if (this.#ending || this.socket.destroyed || text === '') return true
    const pieces = this.#pieces
    const last = pieces.length - 1
    // V8 reads an element before the first one by its name, the slow way.
    if (last >= 0 && typeof pieces[last] === 'string') pieces[last] += text
    else pieces.push(text)
    return this.#written(text.length)
  }

  /** Writes bytes, which may change after the call. */
  writeBytes(bytes: Buffer): boolean {
    if (this.#ending || this.socket.destroyed || bytes.length === 0) return true
    const shared = bytes.length <= (this.#waits() ? sharedPieceBytes : smallPieceBytes)
    if (!shared || !this.#gather(bytes)) this.#pieces.push(lendCopy(bytes))
    return this.#written(bytes.length)
  }

  /** Writes pieces of memory that was lent, now, as far as the kernel takes them; they are given back when they have left. */
  writeLent(pieces: readonly Buffer[]): boolean {
    if (this.#ending || this.socket.destroyed) {
      giveBackAll(pieces)
      return true
    }
    for (const piece of pieces) {
      this.#pieces.push(piece)
      this.#writtenBytes += piece.length
      this.#pendingBytes += piece.length
    }
    this.flush()
    if (this.unsentBytes < highWaterBytes) return true
    this.#full = true
    return false
  }

  /** Hands what was written to the kernel now, instead of at the turn's end; what was handed over before goes first. */
  flush(): void {
    const handle = this.#handle
    if (this.#pieces.length === 0 || this.socket.connecting) return
    if (handle !== undefined && handle.queuedBytes > 0) return
    const pieces = this.#pieces
    const bytes = this.#pendingBytes
    this.#pieces = []
    this.#pendingBytes = 0
    const { socket } = this
    if (socket.destroyed || socket.writableEnded) {
      this.#writtenBytes -= bytes
      return
    }
    if (handle === undefined) {
      this.#writeToSocket(pieces)
      return
    }
    const failure = handle.write(pieces, bytes)
    // Told at once, it means that not a byte was taken.
    if (failure !== undefined) this.#writtenBytes -= bytes
    if (handle.queuedBytes > 0) this.#leaving = pieces
    else giveBackAll(pieces)
    this.#cutOn(failure)
  }

  pause(): void {
    this.#flows = false
    this.socket.pause()
    this.#handle?.pause()
  }

  resume(): void {
    if (this.closed) return
    this.socket.resume()
    this.#handle?.resume()
  }

  /** Sends FIN after what is written. */
  end(): void {
    // Told twice, a socket makes an error that nobody sees.
    if (this.#ending) return
    this.flush()
    this.#ending = true
    // What waits below the socket is unknown to it, and TLS would end before it.
    if (this.#handle === undefined || this.unsentBytes === 0) this.#endSocket()
  }

  destroy(): void {
    this.flush()
    this.socket.destroy()
  }

  /**
   * Cuts so that the peer cannot take it for an end: RST where `destroy` sends a FIN. Node offers that for plain TCP
   * only, so the handle is told to close that way; below TLS too, where a missing close_notify would go unnoticed.
   */
  reset(): void {
    this.flush()
    const handle = (this.socket as SocketWithHandle)._handle as Handle | null
    const tcp = handle?._parent ?? handle
    const reset = tcp?.reset
    if (tcp !== null && reset !== undefined && !this.#shutting) {
      const { close } = tcp
      tcp.close = (done) => {
        if (reset.call(tcp, done) !== 0) close.call(tcp, done)
      }
    }
    this.socket.destroy()
  }

  /**
   * Gives the socket away with `early`, the bytes peeked at, put back in front; the wire is done. Used for TLS, whose
   * own reader takes over the handle.
   */
  release(early: Buffer): net.Socket {
    this.#reader = undefined
    this.#handle?.release()
    this.#handle = undefined
    this.socket.off('data', this.#onData)
    this.socket.pause()
    if (early.length > 0) this.socket.unshift(early)
    return this.socket
  }

  #goBelow(): void {
    const { socket } = this
    this.#handle = StreamHandle.of(socket, this.#onTaken)
    this.#handle?.readInto(
      sharedReadBuffer,
      // After a pause the socket first hands out what it has.
      () => (this.#flows ||= socket.readableFlowing === true && socket.readableLength === 0),
      (buffer, end) => this.#read(buffer, end),
    )
  }

  /** The kernel, or TLS, has not taken what it was given last. */
  #waits(): boolean {
    return this.#handle !== undefined && this.#handle.queuedBytes > 0
  }

  /** Puts a piece behind another one that waits; false: there is none, or it is worth a place of its own. */
  #gather(bytes: Buffer): boolean {
    const pieces = this.#pieces
    const last = pieces.at(-1)
    if (last === undefined || typeof last === 'string') return false
    const slab = this.#gatheredIn
    const end = last.length + bytes.length
    if (slab?.buffer === last.buffer && end <= slab.length) {
      slab.set(bytes, last.length)
      pieces[pieces.length - 1] = slab.subarray(0, end)
      return true
    }
    if (!this.#waits() && last.length > smallPieceBytes) return false
    const fresh = lendSlab(bytes.length > smallPieceBytes ? 'read' : 'record')
    fresh.set(bytes)
    pieces.push(fresh.subarray(0, bytes.length))
    this.#gatheredIn = fresh
    return true
  }

  /** Whether there is room for more. */
  #written(bytes: number): boolean {
    const first = this.#pendingBytes === 0
    this.#writtenBytes += bytes
    this.#pendingBytes += bytes
    // Last: it may leave at once, and is not pending then.
    if (first) flushAtTurnsEnd(this)
    if (this.#pendingBytes >= highWaterBytes) this.flush()
    const waitingBytes = this.#handle?.queuedBytes ?? this.socket.writableLength
    if (this.#pendingBytes + waitingBytes < highWaterBytes) return true
    this.#full = true
    return false
  }

  #writeToSocket(pieces: readonly Piece[]): void {
    const { socket } = this
    socket.cork()
    for (const piece of pieces) {
      if (typeof piece === 'string') socket.write(piece, 'latin1', this.#onSent)
      else socket.write(piece, this.#onSent)
    }
    socket.uncork()
  }

  /** What had to wait has left; more may have been written meanwhile. */
  #taken(error: Error | undefined): void {
    giveBackAll(this.#leaving)
    this.#leaving = []
    this.#cutOn(error)
    this.flush()
    if (this.unsentBytes > 0) return
    if (this.#ending) this.#endSocket()
    else this.#drained()
  }

  #endSocket(): void {
    if (!this.socket.destroyed) this.socket.end()
  }

  /**
   * Its FIN is under way. libuv refuses to reset it then, and Node never closes it after that; whoever has that FIN has
   * everything.
   */
  get #shutting(): boolean {
    const { writableEnded, writableLength, writableFinished } = this.socket
    return writableEnded && writableLength === 0 && !writableFinished
  }

  #cutOn(error: Error | undefined): void {
    if (error !== undefined) this.socket.destroy(error)
  }

  #drained(): void {
    if (!this.#full || this.unsentBytes > 0 || this.socket.destroyed) return
    this.#full = false
    this.#reader?.onDrain()
  }

  #read(buffer: Buffer, count: number): void {
    if (count > 0 && this.#reader !== undefined) dealWithRead(this.#reader, buffer, 0, count)
  }
}

function giveBackAll(pieces: readonly Piece[]): void {
  for (const piece of pieces) if (typeof piece !== 'string') giveBack(piece)
}
