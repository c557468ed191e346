/** Draws endpoints at random, each as often as its weight says, at the same cost however many there are. */
import type { Endpoint } from './endpoint.ts'

/** For endpoints in slow start, which turn some of their draws down. */
const maxDraws = 16

export class WeightedDraw {
  readonly #endpoints: readonly Endpoint[]
  readonly #random: () => number
  /** Walker's alias method: column i is endpoint i up to `threshold[i]` and endpoint `alias[i]` above. */
  readonly #threshold: Float64Array
  readonly #alias: Uint32Array
  readonly #equal: boolean

  constructor(endpoints: readonly Endpoint[], random: () => number) {
    this.#endpoints = endpoints
    this.#random = random
    this.#threshold = new Float64Array(endpoints.length)
    this.#alias = new Uint32Array(endpoints.length)
    this.#equal = endpoints.every((endpoint) => endpoint.config.weight === endpoints[0]?.config.weight)
    if (!this.#equal) this.#fill()
  }

  /** An endpoint's index. There must be one. */
  draw(nowMs: number): number {
    let at = this.#column()
    for (let draws = 1; draws < maxDraws && this.#turnsDown(at, nowMs); draws++) at = this.#column()
    return at
  }

  #turnsDown(at: number, nowMs: number): boolean {
    const endpoint = this.#endpoints[at] as Endpoint
    return endpoint.isStarting(nowMs) && this.#random() >= endpoint.startedShare(nowMs)
  }

  #column(): number {
    const point = this.#random() * this.#endpoints.length
    const column = Math.floor(point)
    if (this.#equal || point - column < (this.#threshold[column] as number)) return column
    return this.#alias[column] as number
  }

  #fill(): void {
    const weights = this.#endpoints.map((endpoint) => endpoint.config.weight)
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    const scaled = weights.map((weight) => (weight * weights.length) / total)
    const small: number[] = []
    const large: number[] = []
    scaled.forEach((share, i) => (share < 1 ? small : large).push(i))
    while (small.length > 0 && large.length > 0) {
      const less = small.pop() as number
      const more = large.at(-1) as number
      this.#threshold[less] = scaled[less] as number
      this.#alias[less] = more
      scaled[more] = (scaled[more] as number) - (1 - (scaled[less] as number))
      if ((scaled[more] as number) < 1) small.push(large.pop() as number)
    }
    // What is left over is 1 but for rounding.
    for (const i of [...small, ...large]) this.#threshold[i] = 1
  }
}
