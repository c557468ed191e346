/** What happened to each TrafficSplit: events are logged as they appear and kept for `weft split`. */
import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import type { Finding } from '../model/finding.ts'
import { keyOf, type MeshModel } from '../model/mesh-model.ts'
import { type SplitReport, splitReport } from '../model/split-report.ts'
import { type SplitEvent, splitEvents, type SplitStatus, splitStatus } from '../model/split-status.ts'

/** As Kubernetes does: the same thing again is counted, not repeated. */
export type KeptEvent = SplitEvent & { readonly count: number; readonly lastMs: number }
export type SplitPage = SplitReport & { readonly events: readonly KeptEvent[] }

/** The newest ones of each split. */
const maxEvents = 20

type Entry = { readonly status: SplitStatus; readonly events: readonly KeptEvent[] }

function kept(events: readonly KeptEvent[], event: SplitEvent, nowMs: number): readonly KeptEvent[] {
  const same = events.find((other) => other.reason === event.reason && other.message === event.message)
  const others = same === undefined ? events : events.filter((other) => other !== same)
  return [...others, { ...event, count: (same?.count ?? 0) + 1, lastMs: nowMs }].slice(-maxEvents)
}

/** A reason as the log names troubles: `BackendUnknown` is BACKEND_UNKNOWN. */
function codeOf(reason: string): string {
  return reason.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()
}

export class SplitJournal {
  readonly #model: MeshModel
  readonly #log: Log
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()
  /** The splits of each apex, as they were. */
  readonly #byApex = new Map<string, readonly string[]>()

  constructor(model: MeshModel, log: Log, clock: Clock) {
    this.#model = model
    this.#log = log
    this.#clock = clock
  }

  /** Looks anew at the splits of the services that a change touched. */
  update(services: ReadonlySet<string>): void {
    const gone = new Set<string>()
    const seen = new Set<string>()
    for (const apexKey of services) {
      const splits = this.#model.splits(apexKey)
      for (const key of this.#byApex.get(apexKey) ?? []) gone.add(key)
      for (const split of splits) {
        seen.add(keyOf(split.namespace, split.name))
        this.#look(splitStatus(this.#model, split))
      }
      const keys = splits.map((split) => keyOf(split.namespace, split.name))
      if (keys.length === 0) this.#byApex.delete(apexKey)
      else this.#byApex.set(apexKey, keys)
    }
    for (const key of gone) if (!seen.has(key)) this.#drop(key)
  }

  /** Every condition that does not hold. */
  findings(): readonly Finding[] {
    return [...this.#entries].flatMap(([key, { status }]) =>
      status.conditions
        .filter((condition) => condition.status === 'False')
        .map(({ reason, message }) => ({ code: codeOf(reason), object: `TrafficSplit ${key}`, message })),
    )
  }

  /** The splits of this namespace and name; undefined: of all. By namespace and name. */
  pages(namespace: string | undefined, name: string | undefined): readonly SplitPage[] {
    return [...this.#model.allSplits()]
      .filter((split) => namespace === undefined || split.namespace === namespace)
      .filter((split) => name === undefined || split.name === name)
      .map((split) => ({
        ...splitReport(this.#model, split),
        events: this.#entries.get(keyOf(split.namespace, split.name))?.events ?? [],
      }))
      .toSorted((a, b) => (keyOf(a.namespace, a.name) < keyOf(b.namespace, b.name) ? -1 : 1))
  }

  #look(status: SplitStatus): void {
    const key = keyOf(status.namespace, status.name)
    const before = this.#entries.get(key)
    const nowMs = this.#clock.wallMs()
    let events = before?.events ?? []
    for (const event of splitEvents(before?.status, status)) {
      events = kept(events, event, nowMs)
      const fields = { split: key, reason: event.reason }
      if (event.type === 'Warning') this.#log.warn({ code: codeOf(event.reason), ...fields }, event.message)
      else this.#log.info(fields, event.message)
    }
    this.#entries.set(key, { status, events })
  }

  #drop(key: string): void {
    if (this.#entries.delete(key)) this.#log.info({ split: key, reason: 'Deleted' }, 'the split is gone')
  }
}
