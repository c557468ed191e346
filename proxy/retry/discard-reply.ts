/** Gets rid of a reply that nobody wants, so that its connection serves on where that costs little. */
import type { Buffer } from 'node:buffer'
import type { Clock, Timer } from '../../core/clock.ts'
import type { BodySink } from '../body.ts'
import type { Exchange, Reply } from '../exchange.ts'

/** More than this is not read to save a connection, and not for longer. */
const maxBytes = 64 * 1024
const maxMs = 1000

class Drain implements BodySink {
  readonly #giveUp: () => void
  readonly #timer: Timer
  #bytes = 0

  constructor(clock: Clock, giveUp: () => void) {
    this.#giveUp = giveUp
    this.#timer = clock.after(maxMs, giveUp)
  }

  write(piece: Buffer): boolean {
    this.#bytes += piece.length
    if (this.#bytes > maxBytes) {
      this.#timer.cancel()
      this.#giveUp()
    }
    return true
  }

  end(): void {
    this.#timer.cancel()
  }

  abort(): void {
    this.#timer.cancel()
  }
}

/** `x` may be sent again as soon as this returns: it is no longer tied to the attempt that brought `reply`. */
export function discardReply(x: Exchange, reply: Reply, clock: Clock): void {
  const { cancel } = x
  x.cancel = undefined
  if (reply.body.complete) return
  const giveUp = (): void => cancel?.(new Error('another attempt is made instead'))
  // As long as a request is being sent, its body is bound to that connection.
  if (x.body.inline === undefined || reply.body.length > maxBytes) giveUp()
  else reply.body.start(new Drain(clock, giveUp))
}
