/** What rules of access decided, in plain numbers; read at scrape. */
import { type Labels, type Series, SeriesTable } from './series-table.ts'

export class AccessStats implements Series {
  readonly labels: Labels
  allowed = 0
  denied = 0
  audited = 0
  /** Nothing is ever under way. */
  readonly open = false

  constructor(labels: Labels) {
    this.labels = labels
  }

  get activity(): number {
    return this.allowed + this.denied + this.audited
  }
}

/** Requests and connections, each by rule and client. */
export type AccessCounts = {
  readonly http: SeriesTable<AccessStats>
  readonly tcp: SeriesTable<AccessStats>
}

export function makeAccessCounts(nowMs: () => number): AccessCounts {
  const table = () => new SeriesTable((labels) => new AccessStats(labels), { authz_kind: 'other' }, nowMs)
  return { http: table(), tcp: table() }
}
