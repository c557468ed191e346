import type { Endpoint } from './endpoint.ts'
import { type Picker, without } from './picker.ts'

/**
 * Smooth weighted round robin: spreads each endpoint's turns evenly over the cycle (nginx's method). Whose turn it is
 * stays with the endpoints, so that an update does not begin anew at the same one.
 */
export class RoundRobinPicker implements Picker {
  readonly #endpoints: readonly Endpoint[]

  constructor(endpoints: readonly Endpoint[]) {
    this.#endpoints = endpoints
  }

  pick(nowMs: number, avoid: readonly Endpoint[]): Endpoint | undefined {
    const endpoints = avoid.length === 0 ? this.#endpoints : without(this.#endpoints, avoid)
    let chosen: Endpoint | undefined
    let total = 0
    for (const endpoint of endpoints) {
      const weight = endpoint.weightAt(nowMs)
      total += weight
      endpoint.turn += weight
      if (chosen === undefined || endpoint.turn > chosen.turn) chosen = endpoint
    }
    if (chosen !== undefined) chosen.turn -= total
    return chosen
  }
}
