/** A stream beside that of the configuration, on the same channel: there while the control plane is. */
import type { Client, Metadata } from '@grpc/grpc-js'
import type { Node } from '../../api/xds/types.ts'
import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'

/** What each of them needs. */
export type CompanionParts = {
  /** Read anew for each report, as certificates are renewed. */
  readonly node: () => Node
  readonly clock: Clock
  readonly log: Log
}

export interface Companion {
  /** The control plane has accepted us on `client`. Never throws. */
  open(client: Client, metadata: Metadata): void
  /** The channel is gone, or about to be. */
  close(): void
}
