/** A proxy under measurement, started on free ports in front of the backend. */
import type { RuleKind } from './peers/access-rules.ts'
import type { RemovableLayer } from './peers/bundle-without.ts'

/** plain: one proxy. pair: two, mutual TLS 1.3 between them. tls-server: the second one of a pair alone. */
export type Topology = 'plain' | 'pair' | 'tls-server'

/** What client, proxies and backend speak to each other. */
export type Protocol = 'http1' | 'http2'

/** What a subject of a scenario has that others have not. */
export type Variant = {
  /** How many routes it decides among; the request meets the last one. */
  readonly routes: number
  /** Sends the spans of sampled requests to a collector. */
  readonly spans: boolean
  /** Buffers and windows as large as HAProxy takes for large replies. */
  readonly largeBuffers?: boolean
  /** Set: the one sidecar stands before the application, with as many rules of access. */
  readonly rules?: number
  /** Whether these can be looked up; they can unless it is set. */
  readonly ruleKind?: RuleKind
  /** More flags of the sidecar, without their dashes. */
  readonly settings?: Readonly<Record<string, string>>
  /** Left out of the sidecar's chains. */
  readonly without?: RemovableLayer
  /** Somebody looks at every exchange. */
  readonly tapped?: boolean
}

export type Setup = {
  readonly topology: Topology
  readonly protocol: Protocol
  readonly variant: Variant
  readonly backendPort: number
  /** The peer's own folder, empty. */
  readonly folder: string
}

export type MeasuredProcess = { readonly role: 'outbound' | 'inbound'; readonly pid: number }

/** A side's PEM files. */
export type TlsFiles = { readonly roots: string; readonly certificate: string; readonly key: string }

export type RunningPeer = {
  /** Where the load goes. */
  readonly port: number
  /** Whose CPU time and memory count; empty where nothing stands before the backend. */
  readonly processes: readonly MeasuredProcess[]
  /** From the start of the process that the load goes to until it was ready. */
  readonly readyMs: number
  /** What a client of a tls-server shows. */
  readonly clientTls?: TlsFiles
  /** Rejects when it did not do what the scenario says it does. */
  readonly verify: () => Promise<void>
  /** Begins to change its configuration; what it gives ends that, and rejects when the changes did not get there. */
  readonly churn?: (changesPerSecond: number) => Promise<() => Promise<void>>
  readonly stop: () => Promise<void>
}

export type Peer = {
  readonly name: string
  readonly topologies: readonly Topology[]
  readonly protocols: readonly Protocol[]
  /** True, or why it cannot be measured here. */
  readonly available: () => true | string
  readonly version: () => string
  readonly start: (setup: Setup) => Promise<RunningPeer>
}
