/** Tells when files that change have come to rest: writers take several steps, and the steps between are no content. */

/** A file counts when it has not changed for this long. */
export const restMs = 10
/** Editors put a file aside before they write its successor. */
export const goneRestMs = 200
/** A file that never rests counts all the same. */
export const longestMs = 1_000

/** The state of a file that is not there. */
export const gone = 'gone'

type Watched = { state: string; sinceMs: number; readonly firstMs: number }

export class Settling {
  readonly #watched = new Map<string, Watched>()

  /** Takes a look at the state of `name` (whatever differs when its content may) and tells when to look again; 0: it counts. */
  look(name: string, state: string, nowMs: number): number {
    const watched = this.#watched.get(name) ?? { state, sinceMs: nowMs, firstMs: nowMs }
    if (watched.state !== state) {
      watched.state = state
      watched.sinceMs = nowMs
    }
    const dueMs = Math.min(
      watched.sinceMs + (state === gone ? goneRestMs : restMs),
      watched.firstMs + longestMs,
    )
    if (nowMs >= dueMs) {
      this.#watched.delete(name)
      return 0
    }
    this.#watched.set(name, watched)
    return dueMs - nowMs
  }

  /** `name` is back at the state that counts already. */
  forget(name: string): void {
    this.#watched.delete(name)
  }
}
