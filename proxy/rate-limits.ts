/** The limits of one inbound port: they change while connections stay, and keep their state as long as they are the same. */
import type { Layer } from './layer.ts'
import { rateLimit, type RateLimitCounts } from './layers/rate-limit.ts'
import type { RateLimitPolicy } from './rate-limit/rate-limit-policy.ts'
import { SwappableLayers } from './swappable-layers.ts'

export class RateLimits {
  readonly #counts: RateLimitCounts
  readonly #nowMs: () => number
  readonly #swappable = new SwappableLayers()
  #layers = new Map<string, Layer>()

  constructor(counts: RateLimitCounts, nowMs: () => number) {
    this.#counts = counts
    this.#nowMs = nowMs
  }

  get layer(): Layer {
    return this.#swappable.layer
  }

  set(policies: readonly RateLimitPolicy[]): void {
    const before = this.#layers
    this.#layers = new Map(
      policies.map((policy) => {
        const key = JSON.stringify(policy)
        return [key, before.get(key) ?? rateLimit(policy, this.#counts, this.#nowMs)]
      }),
    )
    this.#swappable.set([...this.#layers.values()])
  }
}
