/** What a run came to, in figures. Pure. */
import type { ClientResult } from './client-process.ts'

/** Later than this a reply counts for nothing: the client has gone. */
const goodWithinMs = 1_000

export type RunFacts = {
  readonly result: ClientResult
  readonly ratePerSecond: number
  /** Requests that the endpoints got, of the clients' and of the sidecar's own making. */
  readonly arrived: number
  /** The sidecar's own counters, over the run. */
  readonly retries: number
  readonly overBudget: number
  readonly ejections: number
  /** When the first endpoint was seen to be out of use; undefined: never. */
  readonly ejectedAtSecond: number | undefined
}

export type Outcome = {
  readonly requests: number
  /** 2xx within a second, in percent. */
  readonly goodPercent: number
  /** 2xx, in percent, of the requests due after an endpoint was first out of use; undefined when none ever was. */
  readonly afterEjectionPercent: number | undefined
  readonly percentilesMs: Readonly<Record<'p50' | 'p95' | 'p99' | 'p999', number>>
  /** The good ones of each second, in percent. */
  readonly goodBySecond: readonly number[]
  readonly retries: number
  readonly overBudget: number
  readonly ejections: number
  /** Requests at the endpoints for each one that a client sent. */
  readonly amplification: number
}

function isSuccess(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 300
}

function percent(part: number, whole: number): number {
  return whole === 0 ? Number.NaN : (100 * part) / whole
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function outcomeOf(facts: RunFacts): Outcome {
  const { result, ratePerSecond, arrived, ejectedAtSecond } = facts
  const { latencyMs, status } = result
  const requests = latencyMs.length
  const good = latencyMs.map((ms, i) => ms <= goodWithinMs && isSuccess(status[i]))
  const count = (flags: readonly boolean[]): number => flags.filter(Boolean).length
  const seconds = Math.ceil(requests / ratePerSecond)
  const after =
    ejectedAtSecond === undefined ? undefined : status.slice(Math.ceil(ejectedAtSecond * ratePerSecond))
  const sorted = latencyMs.toSorted((a, b) => a - b)
  return {
    requests,
    goodPercent: percent(count(good), requests),
    afterEjectionPercent: after && percent(count(after.map(isSuccess)), after.length),
    percentilesMs: {
      p50: percentile(sorted, 0.5),
      p95: percentile(sorted, 0.95),
      p99: percentile(sorted, 0.99),
      p999: percentile(sorted, 0.999),
    },
    goodBySecond: Array.from({ length: seconds }, (_, second) => {
      const own = good.slice(second * ratePerSecond, (second + 1) * ratePerSecond)
      return percent(count(own), own.length)
    }),
    retries: facts.retries,
    overBudget: facts.overBudget,
    ejections: facts.ejections,
    amplification: arrived / requests,
  }
}
