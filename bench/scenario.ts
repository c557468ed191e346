/** What is measured: a load on subjects that stand side by side. */
import type { Histogram } from 'hdr-histogram-js'
import type { RequestShape } from './load/request.ts'
import type { Protocol, Topology, Variant } from './peer.ts'

export const loadTools = ['wrk', 'autocannon'] as const
export type LoadTool = (typeof loadTools)[number]

export type Load =
  /** As fast as the connections allow: cost and capacity. By wrk unless said. */
  | { readonly kind: 'saturated'; readonly connections: number; readonly by?: LoadTool }
  /** HTTP/2, as fast as so many streams on each connection allow. By h2load unless every request has fields of its own. */
  | {
      readonly kind: 'streams'
      readonly connections: number
      readonly streams: number
      readonly uniqueFields: boolean
    }
  /** The same with a connection of its own for each request. */
  | { readonly kind: 'connections'; readonly connections: number }
  /** A fixed schedule: latency, and cost where nothing is gathered into batches. */
  | { readonly kind: 'paced'; readonly connections: number; readonly ratePerSecond: number }
  /** One body at a time, on one stream, by curl: throughput, and cost for each megabyte. */
  | { readonly kind: 'transfer'; readonly direction: 'download' | 'upload'; readonly bytes: number }
  /** A mutual TLS handshake of its own for each request. */
  | { readonly kind: 'handshakes'; readonly connections: number; readonly resumed: boolean }
  /** No load: started again and again. */
  | { readonly kind: 'starts' }

export type Subject = {
  readonly name: string
  readonly peer: string
  readonly variant: Variant
  /** Where it is another one than the scenario's. */
  readonly protocol?: Protocol
  /** How often its configuration changes under the load. */
  readonly changesPerSecond: number
}

export type Scenario = {
  readonly name: string
  readonly title: string
  readonly topology: Topology
  readonly protocol: Protocol
  readonly load: Load
  readonly request: RequestShape
  readonly subjects: readonly Subject[]
  /** Name of the subject that the others are divided by, round by round. */
  readonly base: string
  /** By the load itself, or as fast as it goes: sooner done. */
  readonly warmUp: 'own' | 'saturated'
}

/** The scenario as one of its subjects has it. */
export function scenarioOf(scenario: Scenario, { protocol }: Pick<Subject, 'protocol'>): Scenario {
  return protocol === undefined ? scenario : { ...scenario, protocol }
}

/** What is read of a subject in a round. Cost is per request, connection, handshake or megabyte, of all its processes. */
export type Metric = 'cpuUs' | 'perSecond' | 'rssMb' | 'anonymousMb' | 'readyMs' | 'reconnects'

/** One subject in one round. */
export type Sample = {
  readonly metrics: Readonly<Partial<Record<Metric, number>>>
  /** Of a paced load: from due to the whole reply, and how late the generator itself was. */
  readonly latencyUs?: Histogram
  readonly latenessUs?: Histogram
}

export type SubjectResult = { readonly name: string; readonly samples: readonly Sample[] }

export type ScenarioResult = {
  readonly scenario: Scenario
  /** In the order of the scenario; those that are missing left out. */
  readonly subjects: readonly SubjectResult[]
  readonly missing: readonly string[]
  /** Rounds that were thrown away because the machine was taken from us meanwhile. */
  readonly repeated: number
  /** Share of the CPU time that the machine did not have, over the rounds that count. */
  readonly steal: number
}

/** What one unit of the load is called. */
export function unitOf(load: Load): string {
  switch (load.kind) {
    case 'saturated':
    case 'streams':
    case 'paced':
      return 'request'
    case 'connections':
      return 'connection'
    case 'handshakes':
      return 'handshake'
    case 'transfer':
      return 'MB'
    case 'starts':
      return 'start'
  }
}
