/** The dynamic table (RFC 7541 2.3.2): first in, first out, bounded by the size of what is in it. */

/** What an entry costs beside its name and value (RFC 7541 4.1). */
export const entryOverheadBytes = 32

/** The size that both ends begin with (RFC 9113 6.5.2). */
export const initialTableBytes = 4096

/** What the table holds for reading, or knows for writing. */
export type TableEntry = {
  /** Its name, its value and 32 octets. */
  readonly size: number
}

export class DynamicTable<Entry extends TableEntry> {
  /** As long as a power of two; doubled when it is full. */
  #ring: (Entry | undefined)[] = Array.from({ length: 16 }, () => undefined)
  #count = 0
  #inserted = 0
  #bytes = 0
  #maxBytes = initialTableBytes

  /** How many entries there are. */
  get count(): number {
    return this.#count
  }

  /** How many entries there have ever been: the number of the newest one. Those up to `inserted - count` are gone. */
  get inserted(): number {
    return this.#inserted
  }

  get bytes(): number {
    return this.#bytes
  }

  get maxBytes(): number {
    return this.#maxBytes
  }

  /** The entry that is `age` entries older than the newest, or undefined. */
  at(age: number): Entry | undefined {
    return age < this.#count ? this.#ring[(this.#inserted - age) & (this.#ring.length - 1)] : undefined
  }

  /** Adds an entry for which the oldest make room. One that never fits empties the table, which is no error. */
  add(entry: Entry): void {
    this.#evictTo(this.#maxBytes - entry.size)
    if (entry.size > this.#maxBytes) return
    if (this.#count === this.#ring.length) this.#grow()
    this.#inserted++
    this.#ring[this.#inserted & (this.#ring.length - 1)] = entry
    this.#count++
    this.#bytes += entry.size
  }

  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes
    this.#evictTo(maxBytes)
  }

  #evictTo(bytes: number): void {
    while (this.#bytes > bytes && this.#count > 0) {
      const oldest = (this.#inserted - this.#count + 1) & (this.#ring.length - 1)
      this.#bytes -= (this.#ring[oldest] as Entry).size
      this.#ring[oldest] = undefined
      this.#count--
    }
  }

  #grow(): void {
    const larger: (Entry | undefined)[] = Array.from({ length: this.#ring.length * 2 }, () => undefined)
    for (let age = 0; age < this.#count; age++)
      larger[(this.#inserted - age) & (larger.length - 1)] = this.at(age)
    this.#ring = larger
  }
}
