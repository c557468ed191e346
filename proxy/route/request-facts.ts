/** What rules ask of a request beside its fields: worked out once, and only when the first rule asks. */
export class RequestFacts {
  /** The target without its query. */
  path = ''
  #target = ''
  #query: URLSearchParams | undefined
  #chance = -1
  readonly #random: () => number

  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  /** Begins with another request. */
  take(target: string): void {
    const query = target.indexOf('?')
    this.#target = target
    this.path = query === -1 ? target : target.slice(0, query)
    this.#query = undefined
    this.#chance = -1
  }

  /** The first value of a query parameter. */
  query(name: string): string | undefined {
    if (this.path.length === this.#target.length) return undefined
    this.#query ??= new URLSearchParams(this.#target.slice(this.path.length + 1))
    return this.#query.get(name) ?? undefined
  }

  /** From 0 to below 1, the same for all rules, so that shares of the requests add up (Envoy's runtime_fraction). */
  get chance(): number {
    if (this.#chance === -1) this.#chance = this.#random()
    return this.#chance
  }
}
