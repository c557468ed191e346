/**
 * Who may send how much: the peer's window for the connection, and whether the wire has room. Streams that wait for the
 * one stand in another line than those that wait for the other, and who waits for a window of its own in none.
 */
import type { Http2Stream } from './stream.ts'
import { defaultWindowBytes, largestWindow } from './frame-types.ts'

export class SendQueue {
  /** What the peer lets all streams together send. */
  windowBytes = defaultWindowBytes
  /** The wire takes no more for now. */
  full = false
  readonly #forWindow: Http2Stream[] = []
  #forWire: Http2Stream[] = []

  /** Opens the window; false when it would be larger than it can be. */
  open(by: number): boolean {
    if (this.windowBytes + by > largestWindow) return false
    this.windowBytes += by
    return true
  }

  /** `stream` could not send all it has, or its source has to wait. */
  block(stream: Http2Stream): void {
    if (stream.queued) return
    if (this.full) this.#forWire.push(stream)
    else if (stream.stalled && stream.sendWindowBytes <= 0) return
    else this.#forWindow.push(stream)
    stream.queued = true
  }

  /** Nobody stands before a newcomer. */
  get empty(): boolean {
    return this.#forWindow.length === 0
  }

  /** Some window was opened: lets those who wait send in turns. */
  pumpWindow(): void {
    const line = this.#forWindow
    while (line.length > 0 && !this.full && this.windowBytes > 0) pump(line.shift() as Http2Stream)
  }

  /** The wire has room. */
  pumpWire(): void {
    this.full = false
    const waiting = this.#forWire
    this.#forWire = []
    for (const stream of waiting) {
      if (this.full) this.#forWire.push(stream)
      else pump(stream)
    }
    this.pumpWindow()
  }
}

function pump(stream: Http2Stream): void {
  stream.queued = false
  stream.pump()
}
