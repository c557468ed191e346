/** A client that is not read from yet: it waits for us, and can only be cut. */
import type { Connection } from './connections.ts'
import type { Wire } from './wire.ts'

export class WaitingConnection implements Connection {
  readonly #wire: Wire
  readonly deadlineMs = Number.POSITIVE_INFINITY

  constructor(wire: Wire) {
    this.#wire = wire
  }

  onDeadline(): void {}

  drain(): void {}

  destroy(): void {
    this.#wire.destroy()
  }
}
