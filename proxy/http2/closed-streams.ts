/** The last streams that are over: what still comes for them is told from what comes for streams that never were. */

const kept = 128

export class ClosedStreams {
  readonly #ids = new Int32Array(kept)
  #next = 0

  /** `byUs`: we have reset it, so that the peer may go on for a while. */
  add(id: number, byUs: boolean): void {
    this.#ids[this.#next] = byUs ? -id : id
    this.#next = (this.#next + 1) % kept
  }

  /** How it ended; undefined: it never was, or that is long ago. */
  find(id: number): 'reset by us' | 'over' | undefined {
    if (this.#ids.includes(-id)) return 'reset by us'
    return this.#ids.includes(id) ? 'over' : undefined
  }
}
