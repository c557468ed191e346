/** What the pusher needs of a stream, whichever of the two protocols it speaks. */
import { status } from '@grpc/grpc-js'
import type { SidecarFacts } from '../../api/diagnosis.ts'
import type { ResourceKind } from '../../api/xds/type-urls.ts'
import type { WorkloadIdentity } from '../ca/authenticator.ts'
import type { ClientKind } from '../snapshot/client-kind.ts'

export interface Subscriber {
  /** Sends what changed among the names that depend on one of `dependencies`; `changedAtMs`: since when, for the metrics. */
  push(dependencies: ReadonlySet<string>, changedAtMs?: number): void
  /** For the admin page /clients. */
  describe(): object
  /** Who it is, if it is a sidecar. */
  sidecar(trustDomain: string): SidecarFacts | undefined
}

/** Who is at the other end: proven by a token, or `undefined` on the insecure loopback listener. */
export type Peer = { readonly identity: WorkloadIdentity | undefined; readonly address: string }

/** Where a client is, as far as it was proven: some routes count for one namespace alone. */
export function namespaceOf(peer: Peer): string {
  return peer.identity?.namespace ?? ''
}

/** The insecure listener is for stock gRPC clients alone, whatever the client says of itself. */
export function effectiveKind(said: ClientKind, peer: Peer): ClientKind {
  return peer.identity === undefined ? 'grpc' : said
}

/** Make before break: what routes name comes before them. */
export const pushOrder: readonly ResourceKind[] = [
  'secret',
  'cluster',
  'clusterLoadAssignment',
  'listener',
  'routeConfiguration',
]

export type PushStats = {
  pushes: number
  resources: number
  acks: number
  nacks: number
  streams: number
  /** Told how long a change took: from the provider to the client having taken it. */
  onConverged?: (elapsedMs: number) => void
}

/** More names of one type on one stream than any workload talks to: somebody is filling our memory. */
export const maxNames = 50_000

/** Ends a stream that asks for more than `maxNames`. */
export function refuseNames(call: { emit(event: 'error', error: object): unknown }): void {
  call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'too many subscriptions' })
}
