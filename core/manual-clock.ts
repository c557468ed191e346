/** A clock that stands still until a test moves it. */
import type { Clock, Timer } from './clock.ts'

type Pending = { readonly dueMs: number; readonly order: number; readonly run: () => void }

/**
 * Time for tests. `advance` moves both times and runs what falls due, in order of due time, each call at its
 * own moment; `setWall` makes only the wall clock jump, as NTP or a suspended laptop would.
 */
export class ManualClock implements Clock {
  #monotonicMs = 0
  #wallMs: number
  #order = 0
  readonly #pending = new Set<Pending>()

  constructor(wallMs: number = Date.UTC(2026, 0, 1)) {
    this.#wallMs = wallMs
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#pending.size
  }

  readonly monotonicMs = (): number => this.#monotonicMs

  readonly wallMs = (): number => this.#wallMs

  after(delayMs: number, run: () => void): Timer {
    const entry: Pending = { dueMs: this.#monotonicMs + Math.max(0, delayMs), order: this.#order++, run }
    this.#pending.add(entry)
    return { cancel: () => void this.#pending.delete(entry) }
  }

  deadline(delayMs: number, run: () => void): Timer {
    return this.after(delayMs, run)
  }

  /** Moves time on by `ms`, running due timers, those set meanwhile included. */
  advance(ms: number): void {
    const endMs = this.#monotonicMs + ms
    for (let next = this.#earliest(endMs); next !== undefined; next = this.#earliest(endMs)) {
      this.#pending.delete(next)
      this.#moveTo(next.dueMs)
      next.run()
    }
    this.#moveTo(endMs)
  }

  /** As `advance`, but lets promises settle between the timers. */
  async advanceAsync(ms: number): Promise<void> {
    const endMs = this.#monotonicMs + ms
    await settle()
    for (let next = this.#earliest(endMs); next !== undefined; next = this.#earliest(endMs)) {
      this.#pending.delete(next)
      this.#moveTo(next.dueMs)
      next.run()
      await settle()
    }
    this.#moveTo(endMs)
  }

  /** Makes the wall clock jump; timers do not notice. */
  setWall(ms: number): void {
    this.#wallMs = ms
  }

  #moveTo(monotonicMs: number): void {
    this.#wallMs += monotonicMs - this.#monotonicMs
    this.#monotonicMs = monotonicMs
  }

  #earliest(endMs: number): Pending | undefined {
    let earliest: Pending | undefined
    for (const entry of this.#pending) {
      if (entry.dueMs > endMs) continue
      if (earliest === undefined || entry.dueMs < earliest.dueMs) earliest = entry
      else if (entry.dueMs === earliest.dueMs && entry.order < earliest.order) earliest = entry
    }
    return earliest
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
