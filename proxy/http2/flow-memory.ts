/** What content that cannot move on takes in the whole process, and how far windows may grow beside that. */

/** Windows together, beyond what every stream begins with. */
const maxGrownBytes = 32 * 1024 * 1024
/** From here on connections are spared less. */
const crowdedBytes = 32 * 1024 * 1024

class FlowMemory {
  /** Received on streams that have to wait for whoever reads them. */
  parkedBytes = 0
  /** Waiting to be sent. */
  heldBytes = 0
  #grownBytes = 0

  /** The two are mostly the same bytes, at either end. */
  get crowded(): boolean {
    return this.parkedBytes > crowdedBytes || this.heldBytes > crowdedBytes
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
}

export const flowMemory = new FlowMemory()
