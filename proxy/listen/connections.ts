/** The open connections of one side: deadlines are swept, a drain waits for them. */
import type { Clock, Timer } from '../../core/clock.ts'

/** Something with a socket behind it. `deadlineMs` is read at each sweep; Infinity: none. */
export interface Connection {
  deadlineMs: number
  onDeadline(): void
  /** Finish what is in flight, or comes within `drainGraceMs`, and close. */
  drain(): void
  destroy(): void
}

/** How long an idle client may still send a request once we drain: it may be on its way, and nobody else would answer it. */
export const drainGraceMs = 1000
/** One timer for all deadlines: they are seconds long, so half a second late does no harm. */
const sweepEveryMs = 500

export class Connections {
  readonly #clock: Clock
  readonly #open = new Set<Connection>()
  #timer: Timer | undefined
  #onEmpty: (() => void) | undefined
  /** What is added from now on is to be drained by whoever adds it. */
  draining = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#open.size
  }

  add(connection: Connection): void {
    this.#open.add(connection)
    if (this.#timer === undefined) this.#timer = this.#clock.deadline(sweepEveryMs, this.#sweep)
  }

  remove(connection: Connection): void {
    this.#open.delete(connection)
    if (this.#open.size === 0) this.#onEmpty?.()
  }

  /** Asks all to finish; resolves when none is left. */
  async drain(): Promise<void> {
    this.draining = true
    for (const connection of this.#open) connection.drain()
    // One that has just told its protocol is about to be added anew.
    while (this.#open.size > 0)
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve
      })
  }

  destroyAll(): void {
    for (const connection of this.#open) connection.destroy()
  }

  readonly #sweep = (): void => {
    this.#timer = undefined
    const now = this.#clock.monotonicMs()
    for (const connection of this.#open) if (connection.deadlineMs <= now) connection.onDeadline()
    if (this.#open.size > 0) this.#timer = this.#clock.deadline(sweepEveryMs, this.#sweep)
  }
}
