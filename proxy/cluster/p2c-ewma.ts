import type { Endpoint } from './endpoint.ts'
import { type Picker, without } from './picker.ts'
import { WeightedDraw } from './weighted-draw.ts'

/** Power of two choices on peak EWMA: the less loaded of two random endpoints (Mitzenmacher 2001). */
export class P2cEwmaPicker implements Picker {
  readonly #endpoints: readonly Endpoint[]
  readonly #random: () => number
  /** Undefined while all endpoints are alike. */
  readonly #draw: WeightedDraw | undefined

  constructor(endpoints: readonly Endpoint[], random: () => number, alike: boolean) {
    this.#endpoints = endpoints
    this.#random = random
    this.#draw = alike ? undefined : new WeightedDraw(endpoints, random)
  }

  pick(nowMs: number, avoid: readonly Endpoint[]): Endpoint | undefined {
    if (avoid.length > 0) {
      const left = without(this.#endpoints, avoid)
      return new P2cEwmaPicker(left, this.#random, this.#draw === undefined).pick(nowMs, none)
    }
    const count = this.#endpoints.length
    if (count <= 1) return this.#endpoints[0]
    if (this.#draw !== undefined) return this.#pickWeighted(this.#draw, nowMs)
    const first = Math.floor(this.#random() * count)
    const a = this.#endpoints[first] as Endpoint
    const b = this.#endpoints[this.#otherThan(first)] as Endpoint
    return a.loadUnweighted(nowMs) <= b.loadUnweighted(nowMs) ? a : b
  }

  #pickWeighted(draw: WeightedDraw, nowMs: number): Endpoint {
    const first = draw.draw(nowMs)
    const drawn = draw.draw(nowMs)
    const a = this.#endpoints[first] as Endpoint
    const b = this.#endpoints[drawn === first ? this.#otherThan(first) : drawn] as Endpoint
    return a.load(nowMs) <= b.load(nowMs) ? a : b
  }

  #otherThan(first: number): number {
    const count = this.#endpoints.length
    // The offset is never zero.
    return (first + 1 + Math.floor(this.#random() * (count - 1))) % count
  }
}

const none: readonly Endpoint[] = []
