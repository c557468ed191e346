import type { Endpoint } from './endpoint.ts'
import type { Picker } from './picker.ts'

/** Smooth weighted round robin: spreads each endpoint's turns evenly over the cycle (nginx's method). */
export class RoundRobinPicker implements Picker {
  readonly #endpoints: readonly Endpoint[]
  readonly #current: number[]
  readonly #total: number

  constructor(endpoints: readonly Endpoint[]) {
    this.#endpoints = endpoints
    this.#current = endpoints.map(() => 0)
    this.#total = endpoints.reduce((sum, endpoint) => sum + endpoint.config.weight, 0)
  }

  pick(_nowMs: number, avoid: readonly Endpoint[]): Endpoint | undefined {
    let best = this.#turn()
    for (
      let tries = 1;
      best !== undefined && avoid.includes(best) && tries < this.#endpoints.length;
      tries++
    ) {
      best = this.#turn()
    }
    return best
  }

  #turn(): Endpoint | undefined {
    let chosen = -1
    for (let i = 0; i < this.#endpoints.length; i++) {
      const endpoint = this.#endpoints[i] as Endpoint
      this.#current[i] = (this.#current[i] as number) + endpoint.config.weight
      if (chosen === -1 || (this.#current[i] as number) > (this.#current[chosen] as number)) chosen = i
    }
    if (chosen === -1) return undefined
    this.#current[chosen] = (this.#current[chosen] as number) - this.#total
    return this.#endpoints[chosen]
  }
}
