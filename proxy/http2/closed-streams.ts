/** The last streams that are over: what still comes for them is told from what comes for streams that never were. */

const keptOver = 128
/** As many as can be called off at once: their peers go on until they have heard of it, which is no fault of theirs. */
const keptReset = 1024

export class ClosedStreams {
  readonly #over = new Int32Array(keptOver)
  #next = 0
  /** In the order in which they were reset. */
  #reset: Set<number> | undefined

  /** `byUs`: we have reset it, so that the peer may go on for a while. */
  add(id: number, byUs: boolean): void {
    if (byUs) this.#addReset(id)
    else {
      this.#over[this.#next] = id
      this.#next = (this.#next + 1) % keptOver
    }
  }

  /** How it ended; undefined: it never was, or that is long ago. */
  find(id: number): 'reset by us' | 'over' | undefined {
    if (this.#reset?.has(id) === true) return 'reset by us'
    return this.#over.includes(id) ? 'over' : undefined
  }

  #addReset(id: number): void {
    const reset = (this.#reset ??= new Set())
    reset.add(id)
    if (reset.size <= keptReset) return
    for (const oldest of reset) {
      reset.delete(oldest)
      return
    }
  }
}
