/** An exchange that waits for a connection of its cluster; whoever cancels it takes it out of the queue. */
import type { Exchange, Receiver } from '../exchange.ts'
import { UpstreamFailure } from '../upstream-failure.ts'
import type { OverflowLimit, Waiting } from './circuit-breaker.ts'

const texts: Readonly<Record<OverflowLimit, string>> = {
  requests: 'has as many requests in flight as it may',
  retries: 'has as many retries in flight as it may',
  pending: 'has as many requests waiting for a connection as it may',
  'queue-timeout': 'had no connection free in time',
}

export function overflow(cluster: string, limit: OverflowLimit): UpstreamFailure {
  return new UpstreamFailure('overflow', `${cluster} ${texts[limit]}`)
}

export type QueueCalls = {
  /** Sends the exchange; may throw. */
  readonly proceed: () => void
  /** It is not in the queue any more. */
  readonly forget: () => void
  /** It is not counted any more. */
  readonly leave: () => void
}

export class QueuedExchange implements Waiting {
  readonly #x: Exchange
  readonly #receiver: Receiver
  readonly #cluster: string
  readonly #calls: QueueCalls

  constructor(x: Exchange, receiver: Receiver, cluster: string, calls: QueueCalls) {
    this.#x = x
    this.#receiver = receiver
    this.#cluster = cluster
    this.#calls = calls
    x.cancel = this.#onCancel
  }

  proceed(): void {
    this.#x.cancel = undefined
    try {
      this.#calls.proceed()
    } catch (error) {
      this.#receiver.onFailure(this.#x, error)
    }
  }

  giveUp(limit: OverflowLimit): void {
    this.#calls.leave()
    this.#fail(overflow(this.#cluster, limit))
  }

  readonly #onCancel = (reason: Error): void => {
    this.#calls.forget()
    this.#calls.leave()
    this.#fail(new UpstreamFailure('cancelled', reason.message, {}, reason))
  }

  #fail(failure: UpstreamFailure): void {
    this.#x.cancel = undefined
    this.#receiver.onFailure(this.#x, failure)
  }
}
