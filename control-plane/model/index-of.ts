/** A many-to-many index kept as its sources change: which keys a source stands under, and which sources a key has. */
export class IndexOf {
  readonly #sourcesOf = new Map<string, Set<string>>()
  readonly #keysOf = new Map<string, readonly string[]>()

  /** Puts `source` under `keys`, and under no others. */
  set(source: string, keys: readonly string[]): void {
    for (const key of this.#keysOf.get(source) ?? []) this.#remove(key, source)
    if (keys.length === 0) this.#keysOf.delete(source)
    else this.#keysOf.set(source, keys)
    for (const key of keys) {
      const sources = this.#sourcesOf.get(key)
      if (sources === undefined) this.#sourcesOf.set(key, new Set([source]))
      else sources.add(source)
    }
  }

  sources(key: string): readonly string[] {
    return [...(this.#sourcesOf.get(key) ?? [])]
  }

  #remove(key: string, source: string): void {
    const sources = this.#sourcesOf.get(key)
    sources?.delete(source)
    if (sources?.size === 0) this.#sourcesOf.delete(key)
  }
}
