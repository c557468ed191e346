/** A proxy under measurement, started on free ports in front of the backend. */

/** plain: one proxy. pair: outbound and inbound proxy, mutual TLS 1.3 between them. */
export type Topology = 'plain' | 'pair'

export type MeasuredProcess = { readonly role: string; readonly pid: number }

export type RunningPeer = {
  /** Where the load goes. */
  readonly port: number
  /** Whose CPU time and memory count; empty where nothing stands before the backend. */
  readonly processes: readonly MeasuredProcess[]
  readonly stop: () => Promise<void>
}

export type Setup = {
  readonly topology: Topology
  readonly backendPort: number
  /** The peer's own folder, empty. */
  readonly folder: string
  /** How many routes it decides among; the request meets the last one. */
  readonly routes: number
}

export type Peer = {
  readonly name: string
  readonly topologies: readonly Topology[]
  /** True, or why it cannot be measured here. */
  readonly available: () => true | string
  readonly start: (setup: Setup) => Promise<RunningPeer>
}
