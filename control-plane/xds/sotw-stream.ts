/** One state-of-the-world stream: every response of a type carries all that the client asked for. */
import { createHash } from 'node:crypto'
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { type ResourceKind, resourceKindOf, typeUrls } from '../../api/xds/type-urls.ts'
import type { DiscoveryRequest, DiscoveryResponse, Node } from '../../api/xds/types.ts'
import type { Log } from '../../core/log.ts'
import { type ClientKind, clientKindOf } from '../snapshot/client-kind.ts'
import { dependencyOf } from '../snapshot/destination.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import {
  effectiveKind,
  maxNames,
  namespaceOf,
  type Peer,
  type PushStats,
  refuseNames,
  type Subscriber,
} from './subscriber.ts'
import { Wildcard } from './wildcard.ts'

export type SotwCall = ServerDuplexStream<DiscoveryRequest, DiscoveryResponse | Buffer>
/** `sentVersion` undefined: the client waits for an answer, whatever it has. */
type Subscription = { names: ReadonlySet<string>; nonce: string; sentVersion: string | undefined }

const order: readonly ResourceKind[] = [
  'secret',
  'cluster',
  'clusterLoadAssignment',
  'listener',
  'routeConfiguration',
]

export class SotwStream implements Subscriber {
  readonly #call: SotwCall
  readonly #peer: Peer
  readonly #snapshot: Snapshot
  readonly #stats: PushStats
  readonly #log: Log
  readonly #subscriptions = new Map<ResourceKind, Subscription>()
  /** The types to look at in the next flush. */
  readonly #due = new Set<ResourceKind>()
  readonly #wildcard: Wildcard
  #node: Node | undefined
  #client: ClientKind = 'envoy'
  #nonce = 0
  #blocked = false

  constructor(
    call: SotwCall,
    peer: Peer,
    parts: { readonly snapshot: Snapshot; readonly stats: PushStats; readonly log: Log },
  ) {
    this.#call = call
    this.#peer = peer
    this.#snapshot = parts.snapshot
    this.#stats = parts.stats
    this.#log = parts.log
    this.#wildcard = new Wildcard(parts.snapshot)
    call.on('data', (request: DiscoveryRequest) => this.#receive(request))
    call.on('drain', () => {
      this.#blocked = false
      this.#flush()
    })
  }

  push(dependencies: ReadonlySet<string>): void {
    for (const [kind, { names }] of this.#subscriptions) {
      if (this.#wildcard.names(kind) !== undefined && this.#wildcard.isTouchedBy(dependencies))
        this.#due.add(kind)
      for (const name of this.#namesOf(kind, names)) {
        if (!dependencies.has(dependencyOf(name))) continue
        this.#due.add(kind)
        break
      }
    }
    this.#flush()
  }

  describe(): object {
    const subscriptions = Object.fromEntries(
      [...this.#subscriptions].map(([kind, { names }]) => [kind, [...this.#namesOf(kind, names)]]),
    )
    return {
      node: this.#node?.id ?? '',
      kind: this.#client,
      protocol: 'state of the world',
      peer: this.#peer.address,
      subscriptions,
    }
  }

  #receive(request: DiscoveryRequest): void {
    if (request.node !== undefined) {
      this.#node = request.node
      this.#client = effectiveKind(clientKindOf(request.node), this.#peer)
      if (this.#client === 'envoy') this.#wildcard.configure(request.node, this.#log)
    }
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
      if (names.size === 0 && this.#client === 'envoy') this.#wildcard.want(kind)
      this.#ask(kind, { names, nonce: '', sentVersion: undefined })
      return
    }
    // An answer to an older response than the last: it says nothing about the present.
    if ((request.responseNonce ?? '') !== known.nonce) return
    this.#answered(kind, request)
    if (names.symmetricDifference(known.names).size > 0)
      this.#ask(kind, { ...known, names, sentVersion: undefined })
  }

  #answered(kind: ResourceKind, { errorDetail }: DiscoveryRequest): void {
    if (errorDetail === undefined) {
      this.#stats.acks++
      return
    }
    this.#stats.nacks++
    this.#log.warn(
      { code: 'RESOURCE_REJECTED', node: this.#node?.id, kind, reason: errorDetail.message },
      'a client refuses what it was sent; it keeps the last good one',
    )
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
    for (const kind of order) {
      const subscription = this.#subscriptions.get(kind)
      if (!this.#due.delete(kind) || subscription === undefined) continue
      const leaving = this.#refresh(kind)
      const names = this.#namesOf(kind, subscription.names)
      const sent = this.#send(kind, subscription, names.union(leaving))
      if (sent && kind === 'cluster' && this.#client === 'envoy') this.#repeatEndpoints()
      // What routes do not name any more leaves after they were told.
      if (leaving.size > 0) last.unshift(() => this.#send(kind, subscription, names))
    }
    for (const send of last) send()
  }

  #namesOf(kind: ResourceKind, named: ReadonlySet<string>): ReadonlySet<string> {
    return this.#wildcard.names(kind) ?? named
  }

  /** Works out what a wildcard means now; gives what it meant before and does not any more. */
  #refresh(kind: ResourceKind): ReadonlySet<string> {
    return this.#wildcard.names(kind) === undefined
      ? new Set()
      : this.#wildcard.refresh(kind, namespaceOf(this.#peer))
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
      return owned ? [] : (this.#snapshot.get(kind, name, this.#client, namespaceOf(this.#peer)) ?? [])
    })
    const version = createHash('sha256')
      .update(resources.map((resource) => `${resource.name}@${resource.version}`).join(' '))
      .digest('hex')
      .slice(0, 16)
    if (version === subscription.sentVersion) return false
    subscription.sentVersion = version
    subscription.nonce = String(++this.#nonce)
    this.#stats.pushes++
    this.#stats.resources += resources.length
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
