/** What is measured: a load on subjects that stand side by side. */
import type { RequestShape } from './load/request.ts'
import type { Topology } from './peer.ts'

export type Load =
  /** As fast as the connections allow, by wrk: cost and capacity. */
  | { readonly kind: 'saturated'; readonly connections: number }
  /** A fixed schedule: latency, and cost where nothing is gathered into batches. */
  | { readonly kind: 'paced'; readonly connections: number; readonly ratePerSecond: number }

export type Subject = { readonly peer: string; readonly routes: number }

export type Scenario = {
  readonly name: string
  readonly title: string
  readonly topology: Topology
  readonly load: Load
  readonly request: RequestShape
  readonly subjects: readonly Subject[]
  /** Name of the subject that the others are divided by, round by round. */
  readonly base: string
}

export function subjectName({ peer, routes }: Subject): string {
  return routes === 1 ? peer : `${peer} (${routes} routes)`
}
