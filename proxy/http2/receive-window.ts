/** How much a peer may still send, of one stream or of the connection, and what it has to be told about that. */

const usualUpdateBytes = 128 * 1024

export class ReceiveWindow {
  /** What the peer may have under way. */
  sizeBytes: number
  /** What it may still send. */
  #left: number
  /** Moved on, and not told yet; below zero where the peer was told of more than it should have. */
  #owedBytes = 0

  /** `mayCome`: what has to be taken, where the peer may not know yet that it is less. */
  constructor(sizeBytes: number, mayCome = sizeBytes) {
    this.sizeBytes = sizeBytes
    this.#left = mayCome
  }

  /** Takes note of `bytes` received; false when that was more than allowed. */
  take(bytes: number): boolean {
    this.#left -= bytes
    return this.#left >= 0
  }

  /** `bytes` have moved on. Returns by how much to open the window now, 0: not yet, as a frame for each would be a waste. */
  credit(bytes: number): number {
    const owed = (this.#owedBytes += bytes)
    // With less left than is owed the peer might never send what would make it worth a frame.
    return owed < this.#worthBytes() && owed < this.#left ? 0 : this.#open()
  }

  /** `bytes` were credited, and will not move on for now. */
  withhold(bytes: number): void {
    this.#owedBytes -= bytes
  }

  /** Half of a small window, less of a large one: the more is left of it, the longer the peer goes on without hearing from us. */
  #worthBytes(): number {
    return Math.min(this.sizeBytes / 2, Math.max(this.sizeBytes / 8, usualUpdateBytes))
  }

  /** A larger window from now on. Returns by how much to open it. */
  grow(sizeBytes: number): number {
    this.#owedBytes += sizeBytes - this.sizeBytes
    this.sizeBytes = sizeBytes
    return this.#open()
  }

  #open(): number {
    const owed = Math.max(0, this.#owedBytes)
    this.#owedBytes -= owed
    this.#left += owed
    return owed
  }
}
