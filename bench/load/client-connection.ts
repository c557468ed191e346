/** One keep-alive connection of the open loop: a request at a time, read and written with as little as there is. */
import net from 'node:net'
import { ReplyReader } from './reply-reader.ts'

export type ConnectionEvents = {
  /** The reply is complete. `last`: the server closes now, as it has said. */
  readonly onReply: (connection: ClientConnection, status: number, last: boolean) => void
  /** Closed by the server or by the network once it was open; not called after `destroy`. */
  readonly onClosed: (connection: ClientConnection) => void
}

const readBufferBytes = 65_536

export class ClientConnection {
  readonly #socket: net.Socket
  readonly #reader = new ReplyReader()
  /** Resolves when it is open. */
  readonly ready: Promise<void>
  /** When the request in flight was due; undefined when there is none. */
  dueMs: number | undefined
  #opened = false
  #destroyed = false

  constructor(port: number, { onReply, onClosed }: ConnectionEvents) {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.ready = promise
    const read = (bytes: number, buffer: Uint8Array): boolean => {
      const status = this.#reader.read(Buffer.from(buffer.buffer, buffer.byteOffset, bytes))
      if (status !== 0) onReply(this, status, this.#reader.last)
      return true
    }
    const onread = { buffer: Buffer.allocUnsafe(readBufferBytes), callback: read }
    this.#socket = net.connect({ host: '127.0.0.1', port, noDelay: true, onread })
    this.#socket.on('connect', () => {
      this.#opened = true
      resolve()
    })
    this.#socket.on('error', reject)
    this.#socket.on('close', () => {
      reject(new Error('the connection was closed'))
      if (this.#opened && !this.#destroyed) onClosed(this)
    })
  }

  send(request: Buffer, dueMs: number): void {
    this.dueMs = dueMs
    this.#socket.write(request)
  }

  destroy(): void {
    this.#destroyed = true
    this.#socket.destroy()
  }
}
