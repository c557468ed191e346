import type { Endpoint } from './endpoint.ts'
import type { Picker } from './picker.ts'

/** A random endpoint, each as likely as its weight says. */
export class RandomPicker implements Picker {
  readonly #endpoints: readonly Endpoint[]
  readonly #random: () => number

  constructor(endpoints: readonly Endpoint[], random: () => number = Math.random) {
    this.#endpoints = endpoints
    this.#random = random
  }

  pick(_nowMs: number, avoid: readonly Endpoint[]): Endpoint | undefined {
    const left = this.#endpoints.filter((endpoint) => !avoid.includes(endpoint))
    const candidates = left.length === 0 ? this.#endpoints : left
    let point = this.#random() * candidates.reduce((sum, endpoint) => sum + endpoint.config.weight, 0)
    for (const endpoint of candidates) {
      point -= endpoint.config.weight
      if (point < 0) return endpoint
    }
    return candidates.at(-1)
  }
}
