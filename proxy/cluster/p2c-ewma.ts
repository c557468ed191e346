import type { Endpoint } from './endpoint.ts'
import type { Picker } from './picker.ts'

/** Power of two choices on peak EWMA: the less loaded of two random endpoints (Mitzenmacher 2001). */
export class P2cEwmaPicker implements Picker {
  readonly #endpoints: readonly Endpoint[]
  readonly #random: () => number

  constructor(endpoints: readonly Endpoint[], random: () => number = Math.random) {
    this.#endpoints = endpoints
    this.#random = random
  }

  pick(nowMs: number, avoid: readonly Endpoint[]): Endpoint | undefined {
    const candidates = avoid.length === 0 ? this.#endpoints : this.#without(avoid)
    const count = candidates.length
    if (count <= 1) return candidates[0]
    const first = Math.floor(this.#random() * count)
    // A second, different one: the offset is never zero.
    const second = (first + 1 + Math.floor(this.#random() * (count - 1))) % count
    const a = candidates[first] as Endpoint
    const b = candidates[second] as Endpoint
    return a.load(nowMs) <= b.load(nowMs) ? a : b
  }

  #without(avoid: readonly Endpoint[]): readonly Endpoint[] {
    const left = this.#endpoints.filter((endpoint) => !avoid.includes(endpoint))
    return left.length === 0 ? this.#endpoints : left
  }
}
