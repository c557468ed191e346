/**
 * Holds a cluster's requests within its limits: what is above them fails at once instead of piling up, and a few wait
 * for a connection, for a while. There is none for a cluster without limits.
 */
import type { Clock, Timer } from '../../core/clock.ts'
import type { ClusterLimits } from './cluster-config.ts'
import type { ConnectionCount } from '../pool/connection-count.ts'

/** Which limit turned a request away. */
export const overflowLimits = ['requests', 'retries', 'pending', 'queue-timeout'] as const
export type OverflowLimit = (typeof overflowLimits)[number]

/** A request in the queue: it is told once, and one of the two. */
export interface Waiting {
  proceed(): void
  giveUp(limit: 'queue-timeout'): void
}

type Entry = { readonly waiting: Waiting; readonly timer: Timer }

export class CircuitBreaker {
  limits: ClusterLimits
  readonly #connections: ConnectionCount
  readonly #clock: Clock
  readonly #queue: Entry[] = []
  #scheduled = false
  requests = 0
  retries = 0
  readonly overflows: Record<OverflowLimit, number> = {
    requests: 0,
    retries: 0,
    pending: 0,
    'queue-timeout': 0,
  }

  constructor(limits: ClusterLimits, connections: ConnectionCount, clock: Clock) {
    this.limits = limits
    this.#connections = connections
    this.#clock = clock
  }

  get pending(): number {
    return this.#queue.length
  }

  /** Counts a request in; undefined: it may go on, and has to `leave`. */
  enter(isRetry: boolean): OverflowLimit | undefined {
    const limit = this.#limitReached(isRetry)
    if (limit !== undefined) {
      this.overflows[limit]++
      return limit
    }
    this.requests++
    if (isRetry) this.retries++
    return undefined
  }

  /** Whether one more retry may begin; what may not is counted, and its request keeps the reply that it has. */
  admitsRetry(): boolean {
    if (this.retries < this.#retriesAllowed) return true
    this.overflows.retries++
    return false
  }

  leave(isRetry: boolean): void {
    this.requests--
    if (isRetry) this.retries--
  }

  /** A connection may be taken or opened, and nobody waits for it already. */
  get hasConnection(): boolean {
    return this.#queue.length === 0 && this.#connections.busy < this.limits.maxConnections
  }

  /** Puts a request into the queue; false when that is full. */
  wait(waiting: Waiting): boolean {
    if (this.#queue.length >= this.limits.maxPending) {
      this.overflows.pending++
      return false
    }
    const timer = this.#clock.after(this.limits.queueTimeoutMs, () => {
      this.overflows['queue-timeout']++
      this.forget(waiting)
      waiting.giveUp('queue-timeout')
    })
    this.#queue.push({ waiting, timer })
    this.#connections.onFree = this.#onFree
    return true
  }

  /** Takes a request out of the queue: nobody wants its reply any more. */
  forget(waiting: Waiting): void {
    const at = this.#queue.findIndex((entry) => entry.waiting === waiting)
    if (at !== -1) this.#remove(at)
  }

  /** Limits have changed or are gone: whoever may go on now does. */
  recheck(): void {
    while (this.#queue.length > 0 && this.#connections.busy < this.limits.maxConnections)
      this.#remove(0)?.proceed()
  }

  #limitReached(isRetry: boolean): OverflowLimit | undefined {
    if (isRetry && this.retries >= this.#retriesAllowed) return 'retries'
    return this.requests >= this.limits.maxRequests ? 'requests' : undefined
  }

  get #retriesAllowed(): number {
    const { maxRetries, retryBudget } = this.limits
    if (retryBudget === undefined) return maxRetries
    return Math.max(retryBudget.minConcurrency, (this.requests * retryBudget.percent) / 100)
  }

  #remove(at: number): Waiting | undefined {
    const [entry] = this.#queue.splice(at, 1)
    entry?.timer.cancel()
    if (this.#queue.length === 0) this.#connections.onFree = undefined
    return entry?.waiting
  }

  readonly #onFree = (): void => {
    if (this.#scheduled) return
    this.#scheduled = true
    // Not within the codec's own call: the connection is just becoming free.
    queueMicrotask(() => {
      this.#scheduled = false
      this.recheck()
    })
  }
}
