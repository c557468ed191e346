/** The open connections of one side: deadlines are swept, a drain waits for them. */
import type { Clock, Timer } from '../../core/clock.ts'

/** Something with a socket behind it. `deadlineMs` is read at each sweep; Infinity: none. */
export interface Connection {
  deadlineMs: number
  onDeadline(): void
  /** Finish what is in flight, take nothing new, close. */
  drain(): void
  destroy(): void
}

/** One timer for all deadlines: they are seconds long, so half a second late does no harm. */
const sweepEveryMs = 500

export class Connections {
  readonly #clock: Clock
  readonly #open = new Set<Connection>()
  #timer: Timer | undefined
  #onEmpty: (() => void) | undefined

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
  drain(): Promise<void> {
    for (const connection of this.#open) connection.drain()
    if (this.#open.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
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
