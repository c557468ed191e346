/** An exchange that somebody may give up on before it is over: whatever comes first counts, and nothing after it. */
import { type Exchange, type Receiver, type Reply } from './exchange.ts'
import type { UpstreamFailure } from './upstream-failure.ts'

export abstract class FirstOutcome implements Receiver {
  readonly #receiver: Receiver
  #over = false
  /** Its head has gone on; its end has not come. */
  reply: Reply | undefined

  constructor(receiver: Receiver) {
    this.#receiver = receiver
  }

  onReply(x: Exchange, reply: Reply): void {
    if (this.#over) {
      reply.body.fail(new Error('the reply came too late'))
      return
    }
    // A tunnel lasts as long as its two ends like.
    if (reply.tunnel !== undefined || reply.body.complete || !this.headArrived()) {
      this.settle()
    } else {
      this.reply = reply
      reply.body.onComplete(() => this.settle())
    }
    this.#receiver.onReply(x, reply)
  }

  onFailure(x: Exchange, error: unknown): void {
    if (this.settle()) this.#receiver.onFailure(x, error)
  }

  /** Whether this is the first outcome; ends the waiting. */
  settle(): boolean {
    if (this.#over) return false
    this.#over = true
    this.stopWaiting()
    return true
  }

  /** After `settle`: whoever waits for a reply is told; a reply that is under way only bears the flag. */
  tell(x: Exchange, failure: UpstreamFailure): void {
    if (this.reply === undefined) this.#receiver.onFailure(x, failure)
    else x.flag = failure.flag
  }

  /** Whether the end of the reply is waited for, too. */
  abstract headArrived(): boolean

  abstract stopWaiting(): void
}
