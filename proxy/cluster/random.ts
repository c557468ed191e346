import type { Endpoint } from './endpoint.ts'
import { type Picker, without } from './picker.ts'
import { WeightedDraw } from './weighted-draw.ts'

/** A random endpoint, each as likely as its weight says. */
export class RandomPicker implements Picker {
  readonly #endpoints: readonly Endpoint[]
  readonly #random: () => number
  readonly #draw: WeightedDraw

  constructor(endpoints: readonly Endpoint[], random: () => number) {
    this.#endpoints = endpoints
    this.#random = random
    this.#draw = new WeightedDraw(endpoints, random)
  }

  pick(nowMs: number, avoid: readonly Endpoint[]): Endpoint | undefined {
    if (avoid.length > 0) {
      const left = without(this.#endpoints, avoid)
      return left[new WeightedDraw(left, this.#random).draw(nowMs)]
    }
    return this.#endpoints.length <= 1 ? this.#endpoints[0] : this.#endpoints[this.#draw.draw(nowMs)]
  }
}
