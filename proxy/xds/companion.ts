/** A stream beside that of the configuration, on the same channel: there while the control plane is. */
import type { Client, Metadata } from '@grpc/grpc-js'

export interface Companion {
  /** The control plane has accepted us on `client`. Never throws. */
  open(client: Client, metadata: Metadata): void
  /** The channel is gone, or about to be. */
  close(): void
}
