/**
 * A connection's bytes: one reader, writes with backpressure, an idempotent close.
 * Plain TCP is read into one buffer that all wires share (`onread`), which saves a Buffer per read; TLS sockets do not
 * offer that and hand over buffers of their own.
 */
import { Buffer } from 'node:buffer'
import net from 'node:net'

/** Who reads a wire. The bytes of `onBytes` are only valid during the call unless the wire says `ownsReads`. */
export interface WireReader {
  onBytes(buffer: Buffer, start: number, end: number): void
  /** The peer will send no more (FIN); writing may still work. */
  onEnd(): void
  /** Gone in both directions; the last call. */
  onClose(error: Error | undefined): void
  /** What was written has left; called after a write returned false. */
  onDrain(): void
}

const sharedReadBuffer = Buffer.allocUnsafeSlow(64 * 1024)

type Closing = (done: () => void) => unknown
/** Node's own TCP handle; `_parent` leads to it from the handle of a TLS socket. */
type Handle = { close: Closing; readonly reset?: Closing; readonly _parent?: Handle }
type SocketWithHandle = net.Socket & { _handle: unknown }

export class Wire {
  readonly socket: net.Socket
  /** Buffers given to the reader stay as they are. */
  readonly ownsReads: boolean
  #reader: WireReader | undefined
  #error: Error | undefined

  private constructor(makeSocket: (wire: Wire) => net.Socket, ownsReads: boolean) {
    this.ownsReads = ownsReads
    this.socket = makeSocket(this)
    this.socket.on('error', (error) => {
      this.#error = error
    })
    this.socket.on('close', () => this.#reader?.onClose(this.#error))
    this.socket.on('drain', () => this.#reader?.onDrain())
    this.socket.on('end', () => this.#reader?.onEnd())
  }

  /** Takes over a socket accepted with `pauseOnConnect`, before anything was read from it. */
  static adopt(accepted: net.Socket): Wire {
    const handle = (accepted as SocketWithHandle)._handle
    ;(accepted as SocketWithHandle)._handle = null
    accepted.on('error', () => accepted.destroy())
    accepted.destroy()
    const wire = new Wire(
      (self) =>
        new net.Socket({
          handle,
          allowHalfOpen: true,
          readable: true,
          writable: true,
          onread: {
            buffer: sharedReadBuffer,
            callback: (count, buffer) => self.#read(buffer as Buffer, count),
          },
        } as net.SocketConstructorOpts),
      false,
    )
    return wire
  }

  /** Dials; `onConnect` is called once the connection stands. Failure is the reader's `onClose`. */
  static connect(host: string, port: number, onConnect: () => void): Wire {
    return new Wire((self) => {
      const socket = net.connect({
        host,
        port,
        noDelay: true,
        allowHalfOpen: true,
        onread: {
          buffer: sharedReadBuffer,
          callback: (count, buffer) => self.#read(buffer as Buffer, count),
        },
      } as net.NetConnectOpts)
      socket.once('connect', onConnect)
      return socket
    }, false)
  }

  /** Reads an established socket that brings its own buffers (TLS). */
  static over(socket: net.Socket): Wire {
    const wire = new Wire(() => socket, true)
    socket.on('data', (piece: Buffer) => wire.#read(piece, piece.length))
    return wire
  }

  /** Sets who reads; reading starts with the first reader. */
  readInto(reader: WireReader): void {
    const first = this.#reader === undefined
    this.#reader = reader
    if (first && !this.ownsReads && !this.socket.connecting) this.socket.read(0)
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
    return this.socket.writableLength
  }

  /** Written, and taken by the kernel. */
  get takenBytes(): number {
    return this.socket.bytesWritten - this.socket.writableLength
  }

  get error(): Error | undefined {
    return this.#error
  }

  /** Writes latin1 text; false asks to wait for `onDrain`. Nothing happens on a closed wire. */
  writeText(text: string): boolean {
    const { socket } = this
    return socket.destroyed || socket.writableEnded ? true : socket.write(text, 'latin1')
  }

  /** Writes bytes, which must stay as they are until they have left. */
  writeBytes(bytes: Buffer): boolean {
    const { socket } = this
    return socket.destroyed || socket.writableEnded ? true : socket.write(bytes)
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  /** Sends FIN after what is written. */
  end(): void {
    if (!this.socket.destroyed) this.socket.end()
  }

  destroy(): void {
    this.socket.destroy()
  }

  /**
   * Cuts so that the peer cannot take it for an end: RST where `destroy` sends a FIN. Node offers that for plain TCP
   * only, so the handle is told to close that way; below TLS too, where a missing close_notify would go unnoticed.
   */
  reset(): void {
    const handle = (this.socket as SocketWithHandle)._handle as Handle | null
    const tcp = handle?._parent ?? handle
    const reset = tcp?.reset
    if (tcp !== null && reset !== undefined) {
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
    if (early.length > 0) this.socket.unshift(early)
    return this.socket
  }

  #read(buffer: Buffer, count: number): boolean {
    if (count > 0) this.#reader?.onBytes(buffer, 0, count)
    return true
  }
}
