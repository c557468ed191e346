/** One state-of-the-world stream: every response of a type carries all that the client asked for. */
import { createHash } from 'node:crypto'
import type { ServerDuplexStream } from '@grpc/grpc-js'
import type { SidecarFacts } from '../../api/diagnosis.ts'
import { type ResourceKind, resourceKindOf, typeUrls } from '../../api/xds/type-urls.ts'
import type { DiscoveryRequest, DiscoveryResponse } from '../../api/xds/types.ts'
import { dependencyOf } from '../snapshot/destination.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { StreamClient, type StreamParts } from './stream-client.ts'
import { maxNames, type Peer, pushOrder, refuseNames, type Subscriber } from './subscriber.ts'

export type SotwCall = ServerDuplexStream<DiscoveryRequest, DiscoveryResponse | Buffer>
/** `sentVersion` undefined: the client waits for an answer, whatever it has. */
type Subscription = { names: ReadonlySet<string>; nonce: string; sentVersion: string | undefined }

export class SotwStream implements Subscriber {
  readonly #call: SotwCall
  readonly #client: StreamClient
  readonly #snapshot: Snapshot
  readonly #subscriptions = new Map<ResourceKind, Subscription>()
  /** The types to look at in the next flush. */
  readonly #due = new Set<ResourceKind>()
  #nonce = 0
  #blocked = false

  constructor(call: SotwCall, peer: Peer, parts: StreamParts) {
    this.#call = call
    this.#client = new StreamClient(peer, parts)
    this.#snapshot = parts.snapshot
    call.on('data', (request: DiscoveryRequest) => this.#receive(request))
    call.on('drain', () => {
      this.#blocked = false
      this.#flush()
    })
  }

  push(dependencies: ReadonlySet<string>, changedAtMs?: number): void {
    this.#client.changed(changedAtMs)
    for (const [kind, { names }] of this.#subscriptions) {
      if (this.#client.wildcard.names(kind) !== undefined && this.#client.wildcard.isTouchedBy(dependencies))
        this.#due.add(kind)
      for (const name of this.#namesOf(kind, names)) {
        if (!dependencies.has(dependencyOf(name))) continue
        this.#due.add(kind)
        break
      }
    }
    this.#flush()
    this.#client.flushed(this.#blocked)
  }

  sidecar(trustDomain: string): SidecarFacts | undefined {
    return this.#client.sidecar(trustDomain)
  }

  describe(): object {
    const asked = [...this.#subscriptions].map(
      ([kind, { names }]) => [kind, this.#namesOf(kind, names)] as const,
    )
    return this.#client.describe('state of the world', asked)
  }

  #receive(request: DiscoveryRequest): void {
    this.#client.learn(request.node)
    const kind = resourceKindOf(request.typeUrl ?? '')
    if (kind === undefined) return
    const names = new Set(request.resourceNames ?? [])
    if (names.size > maxNames) {
      refuseNames(this.#call)
      return
    }
    const known = this.#subscriptions.get(kind)
    if (known === undefined) {
      // Gateways alone know no names.
      if (names.size === 0 && this.#client.kind === 'envoy') this.#client.wildcard.want(kind)
      this.#ask(kind, { names, nonce: '', sentVersion: undefined })
      return
    }
    // An answer to an older response than the last: it says nothing about the present.
    if ((request.responseNonce ?? '') !== known.nonce) return
    this.#client.answered(kind, request.errorDetail)
    if (names.symmetricDifference(known.names).size > 0)
      this.#ask(kind, { ...known, names, sentVersion: undefined })
  }

  #ask(kind: ResourceKind, subscription: Subscription): void {
    this.#subscriptions.set(kind, subscription)
    this.#due.add(kind)
    this.#flush()
  }

  #flush(): void {
    // A slow reader gets the newest state when it reads again, not everything in between.
    if (this.#blocked || this.#call.writableEnded) return
    const last: (() => void)[] = []
    for (const kind of pushOrder) {
      const subscription = this.#subscriptions.get(kind)
      if (!this.#due.delete(kind) || subscription === undefined) continue
      const leaving = this.#refresh(kind)
      const names = this.#namesOf(kind, subscription.names)
      const sent = this.#send(kind, subscription, names.union(leaving))
      if (sent && kind === 'cluster' && this.#client.kind === 'envoy') this.#repeatEndpoints()
      // What routes do not name any more leaves after they were told.
      if (leaving.size > 0) last.unshift(() => this.#send(kind, subscription, names))
    }
    for (const send of last) send()
  }

  #namesOf(kind: ResourceKind, named: ReadonlySet<string>): ReadonlySet<string> {
    return this.#client.wildcard.names(kind) ?? named
  }

  /** Works out what a wildcard means now; gives what it meant before and does not any more. */
  #refresh(kind: ResourceKind): ReadonlySet<string> {
    return this.#client.wildcard.names(kind) === undefined
      ? new Set()
      : this.#client.wildcard.refresh(kind, this.#client.namespace)
  }

  /** Envoy makes a changed cluster anew, and uses it once it is told the endpoints again, the same or not. */
  #repeatEndpoints(): void {
    const endpoints = this.#subscriptions.get('clusterLoadAssignment')
    if (endpoints === undefined) return
    endpoints.sentVersion = undefined
    this.#due.add('clusterLoadAssignment')
  }

  /** Whether there was anything new to send. */
  #send(kind: ResourceKind, subscription: Subscription, names: ReadonlySet<string>): boolean {
    const resources = [...names].flatMap((name) => {
      const owned = this.#snapshot.ownerOf(kind, name) !== undefined
      return owned ? [] : (this.#snapshot.get(kind, name, this.#client.kind, this.#client.namespace) ?? [])
    })
    const version = createHash('sha256')
      .update(resources.map((resource) => `${resource.name}@${resource.version}`).join(' '))
      .digest('hex')
      .slice(0, 16)
    if (version === subscription.sentVersion) return false
    subscription.sentVersion = version
    subscription.nonce = String(++this.#nonce)
    this.#client.wrote(resources.length)
    if (kind === 'secret') this.#client.sentBundle(this.#snapshot.trustBundle)
    const taken = this.#call.write({
      versionInfo: version,
      nonce: subscription.nonce,
      typeUrl: typeUrls[kind],
      resources: resources.map(({ bytes }) => ({ typeUrl: typeUrls[kind], value: bytes })),
    })
    if (!taken) this.#blocked = true
    return true
  }
}
