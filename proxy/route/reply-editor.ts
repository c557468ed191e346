import type { Exchange, Receiver, Reply } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'

/** Passes a reply on with its headers changed; a failure is passed on as it is. */
export class ReplyEditor implements Receiver {
  readonly #receiver: Receiver
  readonly #edit: (headers: HeaderList) => void

  constructor(receiver: Receiver, edit: (headers: HeaderList) => void) {
    this.#receiver = receiver
    this.#edit = edit
  }

  onReply(x: Exchange, reply: Reply): void {
    this.#edit(reply.headers)
    this.#receiver.onReply(x, reply)
  }

  onFailure(x: Exchange, error: unknown): void {
    this.#receiver.onFailure(x, error)
  }
}
