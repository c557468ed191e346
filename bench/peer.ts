/** One proxy under measurement: started on a free port, in front of the backend's port. */
export type RunningPeer = {
  /** Where the load goes. */
  readonly port: number
  /** Whose CPU time counts. */
  readonly pid: number
  readonly stop: () => Promise<void>
}

export type Peer = {
  readonly name: string
  /** True, or why it cannot be measured here. */
  readonly available: () => true | string
  readonly start: (options: {
    readonly port: number
    readonly backendPort: number
    readonly folder: string
  }) => Promise<RunningPeer>
}
