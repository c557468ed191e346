/** Joins two wires byte for byte, half-close kept; used for opaque TCP and for tunnels. */
import type { Buffer } from 'node:buffer'
import type { Connection } from '../listen/connections.ts'
import type { Wire, WireReader } from '../listen/wire.ts'

/** One direction: what arrives on `from` leaves on `to`. */
class Half implements WireReader {
  readonly #from: Wire
  readonly #to: Wire
  readonly #onClosed: () => void
  /** All of it has arrived, FIN included. */
  ended = false
  bytes = 0

  constructor(from: Wire, to: Wire, onClosed: () => void) {
    this.#from = from
    this.#to = to
    this.#onClosed = onClosed
  }

  onBytes(buffer: Buffer, start: number, end: number): void {
    this.send(buffer.subarray(start, end))
  }

  send(piece: Buffer): void {
    if (piece.length === 0) return
    this.bytes += piece.length
    if (!this.#to.writeBytes(piece)) this.#from.pause()
  }

  onEnd(): void {
    if (this.ended) return
    this.ended = true
    this.#to.end()
  }

  onClose(): void {
    this.#onClosed()
  }

  /** `from` has room again, so the other side may go on sending. */
  onDrain(): void {
    this.#to.resume()
  }
}

export type SpliceStats = { readonly toUpstreamBytes: number; readonly toClientBytes: number }

/** How long neither side may send a byte. */
export type IdleLimit = { readonly nowMs: () => number; readonly timeoutMs: number }

export class Splice implements Connection {
  readonly #client: Wire
  readonly #upstream: Wire
  readonly #up: Half
  readonly #down: Half
  readonly #idle: IdleLimit
  #movedBytes = 0
  deadlineMs: number

  /** Carries bytes between the two until both have ended, or none has come for too long. */
  constructor(
    client: Wire,
    upstream: Wire,
    idle: IdleLimit,
    onClosed: (splice: Splice, stats: SpliceStats) => void,
  ) {
    this.#client = client
    this.#upstream = upstream
    this.#idle = idle
    this.deadlineMs = idle.nowMs() + idle.timeoutMs
    let open = 2
    const closed = (other: Wire): void => {
      // Gone before all was said in both directions: the other side must neither take what it has for everything nor
      // go on sending to nobody.
      if (!this.#up.ended || !this.#down.ended) other.reset()
      if (--open === 0) onClosed(this, { toUpstreamBytes: this.#up.bytes, toClientBytes: this.#down.bytes })
    }
    this.#up = new Half(client, upstream, () => closed(upstream))
    this.#down = new Half(upstream, client, () => closed(client))
  }

  /** Starts; `toUpstream` and `toClient` are bytes that were read before. */
  start(toUpstream: Buffer, toClient: Buffer): void {
    this.#client.readInto(this.#up)
    this.#upstream.readInto(this.#down)
    this.#up.send(toUpstream)
    this.#down.send(toClient)
    // A FIN that came while nobody was joined yet is not told again.
    if (this.#client.ended) this.#up.onEnd()
    if (this.#upstream.ended) this.#down.onEnd()
    this.#client.resume()
    this.#upstream.resume()
  }

  /** Looked at once per timeout instead of at each byte, so the cut comes after one to two times that long. */
  onDeadline(): void {
    const movedBytes = this.#up.bytes + this.#down.bytes
    if (movedBytes === this.#movedBytes) {
      this.destroy()
      return
    }
    this.#movedBytes = movedBytes
    this.deadlineMs = this.#idle.nowMs() + this.#idle.timeoutMs
  }

  /** A tunnel has no point at which it could be closed politely: it runs on until its own end or the deadline. */
  drain(): void {}

  destroy(): void {
    this.#client.destroy()
    this.#upstream.destroy()
  }
}
