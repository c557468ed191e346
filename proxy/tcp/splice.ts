/** Joins two wires, or what stands for one, byte for byte, half-close kept; used for opaque TCP and for tunnels. */
import type { Buffer } from 'node:buffer'
import type { Connection } from '../listen/connections.ts'
import type { Wire, WireReader } from '../listen/wire.ts'

/** What is joined: a wire, or a stream of HTTP/2 that stands for one. */
export type SpliceSide = Pick<
  Wire,
  'readInto' | 'writeBytes' | 'pause' | 'resume' | 'end' | 'reset' | 'destroy' | 'ended' | 'closed'
>

/** One direction: what arrives on `from` leaves on `to`. */
class Half implements WireReader {
  readonly #from: SpliceSide
  readonly #to: SpliceSide
  readonly #onClosed: () => void
  /** All of it has arrived, FIN included. */
  ended = false
  bytes = 0
  #closed = false

  constructor(from: SpliceSide, to: SpliceSide, onClosed: () => void) {
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
    if (this.#closed) return
    this.#closed = true
    this.#onClosed()
  }

  /** `from` has room again, so the other side may go on sending. */
  onDrain(): void {
    this.#to.resume()
  }
}

/** Who broke it off before all was said: one of the two, the idle limit, or we at a drain's deadline. */
export type SpliceEnd = 'complete' | 'client' | 'upstream' | 'idle' | 'cut'

/** What was carried; of a connection that is open, so far. */
export type SpliceBytes = { readonly toUpstreamBytes: number; readonly toClientBytes: number }

export type SpliceStats = SpliceBytes & { readonly end: SpliceEnd }

/** Who counts a connection, from its beginning to its end. */
export type SpliceWatch = {
  readonly onStart: (bytes: SpliceBytes) => void
  readonly onEnd: (bytes: SpliceBytes, end: SpliceEnd) => void
}

/** How long neither side may send a byte. */
export type IdleLimit = { readonly nowMs: () => number; readonly timeoutMs: number }

export class Splice implements Connection {
  readonly #client: SpliceSide
  readonly #upstream: SpliceSide
  readonly #up: Half
  readonly #down: Half
  readonly #idle: IdleLimit
  #movedBytes = 0
  #end: SpliceEnd = 'complete'
  deadlineMs: number

  /** Carries bytes between the two until both have ended, or none has come for too long. */
  constructor(
    client: SpliceSide,
    upstream: SpliceSide,
    idle: IdleLimit,
    onClosed: (splice: Splice, stats: SpliceStats) => void,
  ) {
    this.#client = client
    this.#upstream = upstream
    this.#idle = idle
    this.deadlineMs = idle.nowMs() + idle.timeoutMs
    let open = 2
    const closed = (who: 'client' | 'upstream', other: SpliceSide): void => {
      // Gone before all was said in both directions: the other side must neither take what it has for everything nor
      // go on sending to nobody.
      if (!this.#up.ended || !this.#down.ended) {
        if (this.#end === 'complete') this.#end = who
        // Whoever cuts both sides is about to end that one too.
        if (this.#end !== 'idle' && this.#end !== 'cut') other.reset()
      }
      if (--open > 0) return
      onClosed(this, { toUpstreamBytes: this.#up.bytes, toClientBytes: this.#down.bytes, end: this.#end })
    }
    this.#up = new Half(client, upstream, () => closed('client', upstream))
    this.#down = new Half(upstream, client, () => closed('upstream', client))
  }

  get toUpstreamBytes(): number {
    return this.#up.bytes
  }

  get toClientBytes(): number {
    return this.#down.bytes
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
    // Who has gone already does not say so again.
    if (this.#client.closed) this.#up.onClose()
    if (this.#upstream.closed) this.#down.onClose()
  }

  /** Looked at once per timeout instead of at each byte, so the cut comes after one to two times that long. */
  onDeadline(): void {
    const movedBytes = this.#up.bytes + this.#down.bytes
    if (movedBytes === this.#movedBytes) {
      this.#cut('idle')
      return
    }
    this.#movedBytes = movedBytes
    this.deadlineMs = this.#idle.nowMs() + this.#idle.timeoutMs
  }

  /** A tunnel has no point at which it could be closed politely: it runs on until its own end or the deadline. */
  drain(): void {}

  destroy(): void {
    this.#cut('cut')
  }

  #cut(end: SpliceEnd): void {
    if (this.#end === 'complete') this.#end = end
    this.#upstream.destroy()
    this.#client.destroy()
  }
}
