/**
 * The label sets of a family and their numbers. Labels come from configuration and proven principals, never unbounded
 * from a request, but a mesh can be large: label sets are limited in number, and those that are idle are let go.
 */
import type { LoadOf } from './load-of.ts'

export type Labels = Readonly<Record<string, string>>

/** The numbers of one label set. */
export interface Series {
  readonly labels: Labels
  /** Grows with everything that is counted. */
  readonly activity: number
  /** Something is open, so that the series is in use although it does not grow. */
  readonly open: boolean
}

/** Beyond this many label sets the rest shares one. */
const maxSeries = 2000
/** As Linkerd's LINKERD2_PROXY_METRICS_RETAIN_IDLE. */
const retainIdleMs = 600_000

/** `kept` holds what is shown; what is idle is held only by who may still count in it (an endpoint, a connection). */
type Entry<S extends Series> = {
  readonly held: WeakRef<S>
  kept: S | undefined
  activity: number
  changedMs: number
}

export class SeriesTable<S extends Series> {
  readonly #make: (labels: Labels, load?: LoadOf) => S
  readonly #nowMs: () => number
  readonly #byKey = new Map<string, Entry<S>>()
  readonly #overflow: S

  /** `overflow` labels what is counted beyond the limit. */
  constructor(make: (labels: Labels, load?: LoadOf) => S, overflow: Labels, nowMs: () => number) {
    this.#make = make
    this.#nowMs = nowMs
    this.#overflow = make(overflow)
  }

  /** How many label sets are held, idle ones that somebody may still count in included. */
  get size(): number {
    return this.#byKey.size
  }

  /** Finds or makes the numbers of a label set; done when something is configured or connected, not per request. */
  for(labels: Labels, load?: LoadOf): S {
    const key = JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    const found = this.#byKey.get(key)?.held.deref()
    if (found !== undefined) return found
    if (this.#byKey.size >= maxSeries) this.sweep()
    if (this.#byKey.size >= maxSeries) return this.#overflow
    const made = this.#make(labels, load)
    const entry = { held: new WeakRef(made), kept: made, activity: 0, changedMs: this.#nowMs() }
    this.#byKey.set(key, entry)
    return made
  }

  /** Every label set that has counted something and is not idle. */
  all(): readonly S[] {
    this.sweep()
    const kept = [...this.#byKey.values()].flatMap((entry) => entry.kept ?? [])
    return [...kept, this.#overflow].filter(({ activity }) => activity > 0)
  }

  /** Lets go of what has counted nothing for ten minutes; when it counts again it is shown again, and goes on from there. */
  sweep(): void {
    const nowMs = this.#nowMs()
    for (const [key, entry] of this.#byKey) {
      const series = entry.kept ?? entry.held.deref()
      if (series === undefined) {
        this.#byKey.delete(key)
      } else if (series.open || series.activity !== entry.activity) {
        entry.activity = series.activity
        entry.changedMs = nowMs
        entry.kept = series
      } else if (nowMs - entry.changedMs > retainIdleMs) entry.kept = undefined
    }
  }
}
