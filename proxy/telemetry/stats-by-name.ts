/** The numbers of one endpoint or one rule, by a name that the configuration gave; looked up for every exchange. */
import type { GoldenStats } from './golden-stats.ts'

export class StatsByName {
  readonly #make: (name: string) => GoldenStats
  readonly #byName = new Map<string, GoldenStats>()
  /** Nearly all exchanges have the name of the one before. */
  #lastName: string | undefined
  #lastStats: GoldenStats | undefined

  constructor(make: (name: string) => GoldenStats) {
    this.#make = make
  }

  for(name: string): GoldenStats {
    if (name === this.#lastName && this.#lastStats !== undefined) return this.#lastStats
    const stats = this.#byName.get(name) ?? this.#make(name)
    this.#byName.set(name, stats)
    this.#lastName = name
    this.#lastStats = stats
    return stats
  }
}
