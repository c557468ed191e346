/** What became of the requests of a load: how many, how late, and why not. */
import { build, type Histogram } from 'hdr-histogram-js'

const highestUs = 60_000_000

export class Tally {
  /** From due to the whole reply, in microseconds. */
  readonly latencyUs: Histogram = build({ highestTrackableValue: highestUs })
  /** From due to when the generator saw to it, in microseconds: how exact it is itself. */
  readonly latenessUs: Histogram = build({ highestTrackableValue: highestUs })
  readonly reasons: Record<string, number> = {}
  #completed = 0
  #failed = 0
  #onProgress: () => void = () => undefined

  get completed(): number {
    return this.#completed
  }

  /** A request that was due at `dueMs` has all of its reply. */
  complete(dueMs: number, nowMs: number): void {
    this.#completed++
    this.latencyUs.recordValue(Math.round((nowMs - dueMs) * 1000))
    this.#onProgress()
  }

  fail(reason: string): void {
    this.#failed++
    this.reasons[reason] = (this.reasons[reason] ?? 0) + 1
    this.#onProgress()
  }

  /** The generator sees to what was due at `dueMs`. */
  begin(dueMs: number, nowMs: number): void {
    this.latenessUs.recordValue(Math.round((nowMs - dueMs) * 1000))
  }

  /** Resolves when `count` requests have come to an end, one way or the other, or when time is up. */
  until(count: number, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#onProgress = () => {
        if (this.#completed + this.#failed < count) return
        clearTimeout(timer)
        resolve()
      }
      this.#onProgress()
    })
  }

  /** Begins anew: what was needed to get warm is not measured. */
  reset(): void {
    this.#completed = 0
    this.latencyUs.reset()
    this.latenessUs.reset()
  }

  /** The failures among `count` requests; those without any outcome are told as such. */
  errorsOf(count: number): number {
    const errors = count - this.#completed
    const unanswered = errors - this.#failed
    if (unanswered > 0) this.reasons['no answer'] = unanswered
    return errors
  }
}
