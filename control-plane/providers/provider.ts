import type { Finding } from '../model/finding.ts'

/** The newest content of a file or object is not usable; its last good one is in force. */
export type Refused = {
  /** The file, or the object's kind and name. */
  readonly object: string
  /** What is wrong with it: each with its line and field in a file, with its field in an object. */
  readonly problems: readonly string[]
}

/** Who feeds the mesh model, whatever the mesh is written down in. */
export interface Provider {
  /** Resolves when everything was read and handed out in one piece; what changes later follows. */
  start(): Promise<void>
  stop(): Promise<void>
  readonly refused: readonly Refused[]
  /** What has not been read yet; empty once `start` has resolved. */
  readonly missing: readonly string[]
  /** What of the good content does not count all the same. */
  readonly findings?: readonly Finding[]
  /** For how long nothing was heard of each kind that is watched; for the metrics. */
  readonly watchSilenceMs?: ReadonlyMap<string, number>
}
