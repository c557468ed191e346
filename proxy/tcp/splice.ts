/** Joins two wires byte for byte, half-close kept; used for opaque TCP and for tunnels. */
import { Buffer } from 'node:buffer'
import type { Connection } from '../listen/connections.ts'
import type { Wire, WireReader } from '../listen/wire.ts'

/** One direction: what arrives on `from` leaves on `to`. */
class Half implements WireReader {
  readonly #from: Wire
  readonly #to: Wire
  readonly #onClosed: () => void
  #ended = false
  bytes = 0

  constructor(from: Wire, to: Wire, onClosed: () => void) {
    this.#from = from
    this.#to = to
    this.#onClosed = onClosed
  }

  onBytes(buffer: Buffer, start: number, end: number): void {
    const view = buffer.subarray(start, end)
    this.send(this.#from.ownsReads ? view : Buffer.from(view))
  }

  send(piece: Buffer): void {
    if (piece.length === 0) return
    this.bytes += piece.length
    if (!this.#to.writeBytes(piece)) this.#from.pause()
  }

  onEnd(): void {
    this.#ended = true
    this.#to.end()
  }

  onClose(): void {
    // Gone without a FIN: the other side must not take what it has for everything.
    if (!this.#ended) this.#to.destroy()
    this.#onClosed()
  }

  /** `from` has room again, so the other side may go on sending. */
  onDrain(): void {
    this.#to.resume()
  }
}

export type SpliceStats = { readonly toUpstreamBytes: number; readonly toClientBytes: number }

export class Splice implements Connection {
  readonly #client: Wire
  readonly #upstream: Wire
  readonly #up: Half
  readonly #down: Half
  deadlineMs = Number.POSITIVE_INFINITY

  /** Carries bytes between the two until both have ended. */
  constructor(client: Wire, upstream: Wire, onClosed: (splice: Splice, stats: SpliceStats) => void) {
    this.#client = client
    this.#upstream = upstream
    let open = 2
    const closed = (): void => {
      if (--open === 0) onClosed(this, { toUpstreamBytes: this.#up.bytes, toClientBytes: this.#down.bytes })
    }
    this.#up = new Half(client, upstream, closed)
    this.#down = new Half(upstream, client, closed)
  }

  /** Starts; `toUpstream` and `toClient` are bytes that were read before. */
  start(toUpstream: Buffer, toClient: Buffer): void {
    this.#client.readInto(this.#up)
    this.#upstream.readInto(this.#down)
    this.#up.send(toUpstream)
    this.#down.send(toClient)
    this.#client.resume()
    this.#upstream.resume()
  }

  onDeadline(): void {
    this.destroy()
  }

  /** A tunnel has no point at which it could be closed politely: it runs on until its own end or the deadline. */
  drain(): void {}

  destroy(): void {
    this.#client.destroy()
    this.#upstream.destroy()
  }
}
