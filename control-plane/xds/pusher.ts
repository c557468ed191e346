/** When changes go out: endpoints at once; the rest at once after a quiet time, then gathered. */
import type { Clock, Timer } from '../../core/clock.ts'

/** A change is held until nothing came for this long ... */
const quietMs = 100
/** ... but never longer than this. */
export const longestMs = 1_000

export class Pusher {
  readonly #clock: Clock
  readonly #push: (dependencies: ReadonlySet<string>, changedAtMs: number) => void
  #waiting = new Set<string>()
  #timer: Timer | undefined
  #firstMs = 0
  #lastPushMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, push: (dependencies: ReadonlySet<string>, changedAtMs: number) => void) {
    this.#clock = clock
    this.#push = push
  }

  /** `routing` false: only endpoints changed, and those cannot wait. */
  changed(dependencies: ReadonlySet<string>, routing: boolean): void {
    if (dependencies.size === 0) return
    const now = this.#clock.monotonicMs()
    if (!routing) {
      this.#push(dependencies, now)
      return
    }
    if (this.#waiting.size === 0) {
      this.#firstMs = now
      // A lone change after a quiet time has nothing to be gathered with.
      if (now - this.#lastPushMs >= quietMs) {
        this.#lastPushMs = now
        this.#push(dependencies, now)
        return
      }
    }
    for (const dependency of dependencies) this.#waiting.add(dependency)
    this.#timer?.cancel()
    const delayMs = Math.min(quietMs, Math.max(0, this.#firstMs + longestMs - now))
    this.#timer = this.#clock.after(delayMs, () => this.#flush())
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #flush(): void {
    const dependencies = this.#waiting
    this.#waiting = new Set()
    this.#timer = undefined
    this.#lastPushMs = this.#clock.monotonicMs()
    this.#push(dependencies, this.#firstMs)
  }
}
