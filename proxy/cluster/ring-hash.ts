import type { Endpoint } from './endpoint.ts'
import { hash32 } from './hash.ts'
import type { Picker } from './picker.ts'

/** Whether an endpoint may be sent to just now. */
export type Admits = (endpoint: Endpoint, nowMs: number) => boolean

/** Room for so many endpoints beside a 32-bit position in a number. */
const maxEndpoints = 2 ** 21

/**
 * Consistent hashing (Ketama): each endpoint has points on a ring, in number as its weight says, and a request goes to
 * the next point after its own hash. Who leaves takes only its own requests along; who may not be sent to is passed
 * over. A request without a hash goes anywhere.
 */
export class RingHashPicker implements Picker {
  readonly #endpoints: readonly Endpoint[]
  readonly #admits: Admits
  readonly #random: () => number
  readonly #positions: Uint32Array
  readonly #owners: Uint32Array

  constructor(
    endpoints: readonly Endpoint[],
    admits: Admits,
    random: () => number,
    size: { readonly minRingSize: number; readonly maxRingSize: number },
  ) {
    this.#endpoints = endpoints
    this.#admits = admits
    this.#random = random
    const points = ringPoints(endpoints, size)
    this.#positions = new Uint32Array(points.length)
    this.#owners = new Uint32Array(points.length)
    points.forEach((point, i) => {
      this.#positions[i] = Math.floor(point / maxEndpoints)
      this.#owners[i] = point % maxEndpoints
    })
  }

  pick(nowMs: number, avoid: readonly Endpoint[], hash: number | undefined): Endpoint | undefined {
    if (this.#endpoints.length === 0) return undefined
    const start = this.#after(hash ?? Math.floor(this.#random() * 2 ** 32))
    for (let step = 0; step < this.#positions.length; step++) {
      const at = (start + step) % this.#positions.length
      const endpoint = this.#endpoints[this.#owners[at] as number] as Endpoint
      if (!avoid.includes(endpoint) && this.#admits(endpoint, nowMs)) return endpoint
    }
    return this.#endpoints.find((endpoint) => avoid.includes(endpoint) && this.#admits(endpoint, nowMs))
  }

  /** The first point at or after `position`; the ring has no end. */
  #after(position: number): number {
    let low = 0
    let high = this.#positions.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#positions[middle] as number) < position) low = middle + 1
      else high = middle
    }
    return low === this.#positions.length ? 0 : low
  }
}

/** Sorted; each is a position and the index of its owner in one number. */
function ringPoints(
  endpoints: readonly Endpoint[],
  { minRingSize, maxRingSize }: { readonly minRingSize: number; readonly maxRingSize: number },
): Float64Array {
  const lightest = Math.min(...endpoints.map((endpoint) => endpoint.config.weight))
  const parts = endpoints.reduce((sum, endpoint) => sum + endpoint.config.weight / lightest, 0)
  // A power of two for the lightest one: who joins or leaves seldom changes it, and so moves nobody else's requests.
  let base = Math.max(1, 2 ** Math.ceil(Math.log2(minRingSize / parts)))
  if (base * parts > maxRingSize) base = maxRingSize / parts
  const points: number[] = []
  endpoints.forEach((endpoint, i) => {
    const count = Math.max(1, Math.round((endpoint.config.weight / lightest) * base))
    for (let n = 0; n < count; n++) points.push(hash32(`${endpoint.address}_${n}`) * maxEndpoints + i)
  })
  return Float64Array.from(points).sort()
}
