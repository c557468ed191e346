/** The limits of one inbound port: they change while connections stay, and keep their state as long as they are the same. */
import type { Exchange, Handler, Receiver } from './exchange.ts'
import { compose, type Layer } from './layer.ts'
import { rateLimit, type RateLimitCounts } from './layers/rate-limit.ts'
import type { RateLimitPolicy } from './rate-limit/rate-limit-policy.ts'

export class RateLimits {
  readonly #counts: RateLimitCounts
  readonly #nowMs: () => number
  #layers = new Map<string, Layer>()
  #next: Handler | undefined
  #handler: Handler | undefined

  constructor(counts: RateLimitCounts, nowMs: () => number) {
    this.#counts = counts
    this.#nowMs = nowMs
  }

  /** Without limits a request passes by one call. */
  readonly layer: Layer = (next) => {
    this.#next = next
    this.#compose()
    return (x: Exchange, receiver: Receiver) => (this.#handler as Handler)(x, receiver)
  }

  set(policies: readonly RateLimitPolicy[]): void {
    const before = this.#layers
    this.#layers = new Map(
      policies.map((policy) => {
        const key = JSON.stringify(policy)
        return [key, before.get(key) ?? rateLimit(policy, this.#counts, this.#nowMs)]
      }),
    )
    this.#compose()
  }

  #compose(): void {
    if (this.#next !== undefined) this.#handler = compose(...this.#layers.values())(this.#next)
  }
}
