/** What content that cannot move on takes in the whole process, and how far windows may grow beside that. */

/** Windows together, beyond what every stream begins with. */
const maxGrownBytes = 32 * 1024 * 1024
/** From here on connections are spared less. */
const crowdedBytes = 32 * 1024 * 1024

class FlowMemory {
  #parkedBytes = 0
  #heldBytes = 0
  #grownBytes = 0
  /** Who wants to know when it is crowded no more. */
  readonly #waiting = new Set<() => void>()

  /** The two are mostly the same bytes, at either end. */
  get crowded(): boolean {
    return this.#parkedBytes > crowdedBytes || this.#heldBytes > crowdedBytes
  }

  /** So much more (or less) was received on streams that have to wait for whoever reads them. */
  park(bytes: number): void {
    this.#parkedBytes += bytes
    if (this.#waiting.size > 0) this.#tell()
  }

  /** So much more (or less) waits to be sent. */
  hold(bytes: number): void {
    this.#heldBytes += bytes
    if (this.#waiting.size > 0) this.#tell()
  }

  /** Whether a window may be larger by so much; who is told so gives it back. */
  grow(bytes: number): boolean {
    if (this.crowded || this.#grownBytes + bytes > maxGrownBytes) return false
    this.#grownBytes += bytes
    return true
  }

  shrink(bytes: number): void {
    this.#grownBytes -= bytes
  }

  /** Calls `run` once, when it is crowded no more; for one that is told already nothing changes. */
  whenRoomy(run: () => void): void {
    this.#waiting.add(run)
  }

  forget(run: () => void): void {
    this.#waiting.delete(run)
  }

  #tell(): void {
    if (this.crowded) return
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    // Not from within the call of whoever has made room.
    queueMicrotask(() => {
      for (const run of waiting) run()
    })
  }
}

export const flowMemory = new FlowMemory()
