/**
 * The streams of a connection by id. Ids count up, so that the place of one is nearly always its own among the last few
 * hundred; whoever finds its place taken by one that lives longer goes into a Map.
 */
import type { Http2Stream } from './stream.ts'

const places = 256

export class StreamTable<S extends Http2Stream> {
  readonly #places: (S | undefined)[] = Array.from({ length: places }, () => undefined)
  #others: Map<number, S> | undefined
  size = 0

  get(id: number): S | undefined {
    const stream = this.#places[(id >> 1) & (places - 1)]
    if (stream !== undefined && stream.id === id) return stream
    return this.#others?.get(id)
  }

  add(stream: S): void {
    const place = (stream.id >> 1) & (places - 1)
    this.size++
    if (this.#places[place] === undefined) this.#places[place] = stream
    else (this.#others ??= new Map()).set(stream.id, stream)
  }

  /** Whether it was there. */
  remove(stream: S): boolean {
    const place = (stream.id >> 1) & (places - 1)
    if (this.#places[place] === stream) this.#places[place] = undefined
    else if (this.#others?.delete(stream.id) !== true) return false
    this.size--
    return true
  }

  /** All there are now; whoever is told may leave meanwhile. */
  all(): S[] {
    const streams = this.#places.filter((stream) => stream !== undefined)
    return this.#others === undefined ? streams : [...streams, ...this.#others.values()]
  }
}
