/**
 * How much the peer may send on one connection. DATA is credited to the connection at once, as a stream that stands still
 * must not stop the others: between two sidecars these are other clients' requests. What such streams hold is counted
 * instead; once that is much, every stream gets a smaller window.
 */
import {
  crowdedParkedBytes,
  type FlowLimits,
  raiseWindowsBelowBytes,
  strangerFlow,
  trustedFlow,
} from './flow-limits.ts'
import { flowMemory } from './flow-memory.ts'
import { setting } from './frame-types.ts'
import { initialConnectionWindowBytes, initialStreamWindowBytes, loweredStreamWindowBytes } from './limits.ts'
import { ReceiveWindow } from './receive-window.ts'
import type { Session } from './session.ts'

/** Windows that were lowered stay so for a while: a peer counts our SETTINGS. */
const leastLoweredMs = 1000

export class ReceiveFlow {
  readonly #session: Session
  /** A client who has proven nothing: where memory is short, it may hold less. */
  readonly #stranger: boolean
  readonly #limits: FlowLimits
  readonly #window = new ReceiveWindow(initialConnectionWindowBytes)
  #parkedBytes = 0
  /** Of that: not credited to the connection, because there is too much of it. */
  #withheldBytes = 0
  #loweredMs: number | undefined
  /** By how much windows have grown beyond the usual, and up to that after they were lowered. */
  #grownBytes = 0
  #regrownBytes = 0

  constructor(session: Session, stranger: boolean) {
    this.#session = session
    this.#stranger = stranger
    this.#limits = stranger ? strangerFlow : trustedFlow
  }

  /** What the peer may send at first on every stream. */
  get streamWindowBytes(): number {
    return this.#loweredMs === undefined ? initialStreamWindowBytes : loweredStreamWindowBytes
  }

  /** Counts a DATA frame; false: it is more than the peer may send. */
  receive(bytes: number): boolean {
    if (!this.#window.take(bytes)) return false
    if (this.#loweredMs !== undefined) this.#raiseIfIdle(this.#loweredMs)
    this.#credit(bytes)
    return true
  }

  /** A stream has received `bytes` that cannot move on. */
  park(bytes: number): void {
    this.#parkedBytes += bytes
    flowMemory.park(bytes)
    if (this.#loweredMs === undefined && this.#parkedBytes > this.#lowerAboveBytes) this.#lower()
    const withhold = Math.min(bytes, this.#mostToWithhold - this.#withheldBytes)
    if (withhold > 0) this.#withhold(withhold)
  }

  unpark(bytes: number): void {
    this.#parkedBytes -= bytes
    flowMemory.park(-bytes)
    if (this.#loweredMs !== undefined) this.#raiseIfIdle(this.#loweredMs)
    if (this.#withheldBytes > 0) this.#giveWithheld()
  }

  /** Whether a window may be larger by so much, than usual or (`regrow`) after it was lowered; who is told so gives it back. */
  grow(bytes: number): boolean {
    if (this.#grownBytes + bytes > this.#limits.maxGrownBytes || !flowMemory.grow(bytes)) return false
    this.#grownBytes += bytes
    return true
  }

  regrow(bytes: number): boolean {
    if (this.#regrownBytes + bytes > this.#limits.maxRegrownBytes) return false
    this.#regrownBytes += bytes
    return true
  }

  /** A stream whose window had grown is over. */
  shrink(grownBytes: number, regrownBytes: number): void {
    flowMemory.shrink(grownBytes)
    this.#grownBytes -= grownBytes
    this.#regrownBytes -= regrownBytes
  }

  /** A stream has a window of `bytes`: there has to be room for several such ones. */
  makeRoomFor(bytes: number): void {
    const wanted = Math.min(4 * bytes, this.#limits.maxWindowBytes)
    if (wanted > this.#window.sizeBytes) this.#open(this.#window.grow(wanted))
  }

  /** How much of what is parked the connection gets no credit for, at most. */
  get #mostToWithhold(): number {
    const most = this.#spared ? this.#limits.maxParkedBytes : crowdedParkedBytes
    return Math.max(0, this.#parkedBytes - most)
  }

  get #spared(): boolean {
    return !this.#stranger || !flowMemory.crowded
  }

  get #lowerAboveBytes(): number {
    return flowMemory.crowded ? 0 : this.#limits.lowerAboveBytes
  }

  #withhold(bytes: number): void {
    this.#withheldBytes += bytes
    this.#window.withhold(bytes)
    if (!this.#spared) flowMemory.whenRoomy(this.#giveWithheld)
  }

  /** Credits what was withheld, as far as there is room for it again. No stream need move for that: memory may be free again. */
  readonly #giveWithheld = (): void => {
    const most = this.#mostToWithhold
    const by = this.#withheldBytes - most
    if (by > 0) {
      this.#withheldBytes = most
      this.#credit(by)
    }
    if (this.#withheldBytes === 0) flowMemory.forget(this.#giveWithheld)
    else if (!this.#spared) flowMemory.whenRoomy(this.#giveWithheld)
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
    this.#open(this.#window.credit(bytes))
  }

  #open(by: number): void {
    if (by > 0) this.#session.out.windowUpdate(0, by)
  }
}
