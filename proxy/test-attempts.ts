/** For tests of layers: an innermost handler whose attempts a test answers, and a client that remembers. */
import { Body } from './body.ts'
import type { Endpoint } from './cluster/endpoint.ts'
import { type Exchange, type Handler, type Receiver, Reply } from './exchange.ts'
import { HeaderList } from './header-list.ts'
import { UpstreamFailure, type UpstreamFailureKind } from './upstream-failure.ts'

/** A reply that is all there, or one whose body the test goes on with. */
function testReply(status: number, headers = new HeaderList(), body = Body.of('')): Reply {
  return new Reply(status, '', headers, body)
}

export class Attempt {
  readonly x: Exchange
  /** Told once, as by a connection. */
  #receiver: Receiver | undefined
  cancelled: Error | undefined

  constructor(x: Exchange, receiver: Receiver) {
    this.x = x
    this.#receiver = receiver
    // As a connection does: what is cancelled fails.
    x.cancel = this.#onCancel
  }

  reply(status: number, headers = new HeaderList(), body = Body.of('')): Reply {
    const reply = testReply(status, headers, body)
    // A connection whose reply is complete is no longer the exchange's.
    body.onComplete(() => {
      if (this.x.cancel === this.#onCancel) this.x.cancel = undefined
    })
    this.#told()?.onReply(this.x, reply)
    return reply
  }

  fail(kind: UpstreamFailureKind, facts: ConstructorParameters<typeof UpstreamFailure>[2] = {}): void {
    if (this.x.cancel === this.#onCancel) this.x.cancel = undefined
    this.#told()?.onFailure(this.x, new UpstreamFailure(kind, kind, facts))
  }

  #told(): Receiver | undefined {
    const receiver = this.#receiver
    this.#receiver = undefined
    return receiver
  }

  readonly #onCancel = (reason: Error): void => {
    this.cancelled = reason
    if (this.x.cancel === this.#onCancel) this.x.cancel = undefined
    this.#told()?.onFailure(this.x, new UpstreamFailure('cancelled', reason.message, {}, reason))
  }
}

/** The innermost handler: each call of it is an attempt. */
export class Attempts {
  readonly all: Attempt[] = []

  readonly handler: Handler = (x, receiver) => {
    x.attempts++
    x.endpoint = { key: `endpoint-${this.all.length}` } as Endpoint
    x.upstreamAddress = `endpoint-${this.all.length}`
    this.all.push(new Attempt(x, receiver))
  }

  get last(): Attempt {
    const last = this.all.at(-1)
    if (last === undefined) throw new Error('there was no attempt')
    return last
  }
}

/** The client's side: what it was told, `200` or `timeout failure`. */
export class Outcomes implements Receiver {
  readonly told: string[] = []
  readonly replies: Reply[] = []

  onReply(_x: Exchange, reply: Reply): void {
    this.told.push(String(reply.status))
    this.replies.push(reply)
  }

  onFailure(_x: Exchange, error: unknown): void {
    this.told.push(error instanceof UpstreamFailure ? `${error.kind} failure` : String(error))
  }
}
