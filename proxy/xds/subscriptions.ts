/** What a sidecar asks the control plane for, as the stream is told it. */
import type { ResourceKind } from '../../api/xds/type-urls.ts'

export interface Subscriptions {
  subscribe(kind: ResourceKind, name: string): void
  unsubscribe(kind: ResourceKind, name: string): void
  /** A resource is in force already: only what is newer has to be sent. */
  known(kind: ResourceKind, name: string, version: string): void
}
