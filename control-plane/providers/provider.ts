/** Who feeds the mesh model, whatever the mesh is written down in. */
export interface Provider {
  /** Resolves when everything was read and handed out in one piece; what changes later follows. */
  start(): Promise<void>
  stop(): Promise<void>
  /** Files or objects whose newest content is refused; their last good content is in force. */
  readonly refused: readonly string[]
  /** What has not been read yet; empty once `start` has resolved. */
  readonly missing: readonly string[]
  /** For how long nothing was heard of each kind that is watched; for the metrics. */
  readonly watchSilenceMs?: ReadonlyMap<string, number>
}
