import type { Endpoint } from './endpoint.ts'
import { type Picker, without } from './picker.ts'
import { WeightedDraw } from './weighted-draw.ts'

/** Of some random endpoints, the one with the fewest requests in flight for its weight. */
export class LeastRequestPicker implements Picker {
  readonly #endpoints: readonly Endpoint[]
  readonly #random: () => number
  readonly #choices: number
  readonly #draw: WeightedDraw

  constructor(endpoints: readonly Endpoint[], random: () => number, choices: number) {
    this.#endpoints = endpoints
    this.#random = random
    this.#choices = choices
    this.#draw = new WeightedDraw(endpoints, random)
  }

  pick(nowMs: number, avoid: readonly Endpoint[]): Endpoint | undefined {
    if (avoid.length > 0) {
      const left = without(this.#endpoints, avoid)
      return new LeastRequestPicker(left, this.#random, this.#choices).pick(nowMs, none)
    }
    if (this.#endpoints.length <= 1) return this.#endpoints[0]
    let best = this.#endpoints[this.#draw.draw(nowMs)] as Endpoint
    for (let choice = 1; choice < this.#choices; choice++) {
      const other = this.#endpoints[this.#draw.draw(nowMs)] as Endpoint
      // Of equals the first one drawn: how often that is says its weight.
      if (other.inFlightShare(nowMs) < best.inFlightShare(nowMs)) best = other
    }
    return best
  }
}

const none: readonly Endpoint[] = []
