/**
 * How much the peer may send on one connection. DATA is credited to the connection at once, as a stream that stands still
 * must not stop the others: between two sidecars these are other clients' requests. What such streams hold is counted
 * instead; once that is much, every stream gets a smaller window.
 */
import { flowMemory } from './flow-memory.ts'
import { setting } from './frame-types.ts'
import {
  crowdedParkedBytes,
  initialConnectionWindowBytes,
  initialStreamWindowBytes,
  loweredStreamWindowBytes,
  lowerWindowsAboveBytes,
  maxConnectionWindowBytes,
  maxParkedBytes,
  maxParkedOfStrangerBytes,
  maxRegrownBytes,
  raiseWindowsBelowBytes,
} from './limits.ts'
import { ReceiveWindow } from './receive-window.ts'
import type { Session } from './session.ts'

/** Windows that were lowered stay so for a while: a peer counts our SETTINGS. */
const leastLoweredMs = 1000

export class ReceiveFlow {
  readonly #session: Session
  /** A client who has proven nothing: its connection stands still before it may hold much. */
  readonly #stranger: boolean
  readonly #window = new ReceiveWindow(initialConnectionWindowBytes)
  #parkedBytes = 0
  /** Received, and not credited to the connection because too much is parked. */
  #withheldBytes = 0
  #loweredMs: number | undefined
  /** What windows that were lowered have grown by since. */
  #regrownBytes = 0

  constructor(session: Session, stranger: boolean) {
    this.#session = session
    this.#stranger = stranger
  }

  /** What the peer may send at first on every stream. */
  get streamWindowBytes(): number {
    return this.#loweredMs === undefined ? initialStreamWindowBytes : loweredStreamWindowBytes
  }

  /** Counts a DATA frame; false: it is more than the peer may send. */
  receive(bytes: number): boolean {
    if (!this.#window.take(bytes)) return false
    if (this.#parkedBytes > this.#mostParkedBytes) this.#withheldBytes += bytes
    else this.#credit(bytes)
    return true
  }

  /** A stream has received `bytes` that cannot move on. */
  park(bytes: number): void {
    this.#parkedBytes += bytes
    flowMemory.parkedBytes += bytes
    if (this.#loweredMs === undefined && this.#parkedBytes > this.#lowerAboveBytes) this.#lower()
  }

  unpark(bytes: number): void {
    this.#parkedBytes -= bytes
    flowMemory.parkedBytes -= bytes
    if (this.#loweredMs !== undefined) this.#raiseIfIdle(this.#loweredMs)
    if (this.#withheldBytes === 0 || this.#parkedBytes > this.#mostParkedBytes) return
    const withheld = this.#withheldBytes
    this.#withheldBytes = 0
    this.#credit(withheld)
  }

  /** Whether a window that was lowered may be larger by so much; who is told so gives it back. */
  regrow(bytes: number): boolean {
    if (this.#regrownBytes + bytes > maxRegrownBytes) return false
    this.#regrownBytes += bytes
    return true
  }

  /** A stream whose window had regrown by `bytes` is over. */
  shrink(bytes: number): void {
    this.#regrownBytes -= bytes
  }

  /** A stream has a window of `bytes`: there has to be room for several such ones. */
  makeRoomFor(bytes: number): void {
    const wanted = Math.min(4 * bytes, maxConnectionWindowBytes)
    if (wanted > this.#window.sizeBytes) this.#session.out.windowUpdate(0, this.#window.grow(wanted))
  }

  get #mostParkedBytes(): number {
    if (!this.#stranger) return maxParkedBytes
    return flowMemory.crowded ? crowdedParkedBytes : maxParkedOfStrangerBytes
  }

  get #lowerAboveBytes(): number {
    return flowMemory.crowded ? 0 : lowerWindowsAboveBytes
  }

  #lower(): void {
    this.#loweredMs = this.#session.nowMs()
    this.#setStreamWindows(loweredStreamWindowBytes - initialStreamWindowBytes)
  }

  #raiseIfIdle(sinceMs: number): void {
    if (this.#parkedBytes > raiseWindowsBelowBytes || flowMemory.crowded) return
    if (this.#session.nowMs() - sinceMs < leastLoweredMs) return
    this.#loweredMs = undefined
    this.#setStreamWindows(initialStreamWindowBytes - loweredStreamWindowBytes)
  }

  #setStreamWindows(by: number): void {
    const session = this.#session
    if (session.over) return
    session.changeSettings([[setting.initialWindowSize, this.streamWindowBytes]])
    for (const stream of session.streams.all()) stream.incoming?.changeWindow(by)
  }

  #credit(bytes: number): void {
    const by = this.#window.credit(bytes)
    if (by > 0) this.#session.out.windowUpdate(0, by)
  }
}
