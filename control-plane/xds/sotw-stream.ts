/** One state-of-the-world stream: every response of a type carries all that the client asked for. */
import { createHash } from 'node:crypto'
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { type ResourceKind, resourceKindOf, typeUrls } from '../../api/xds/type-urls.ts'
import type { DiscoveryRequest, DiscoveryResponse, Node } from '../../api/xds/types.ts'
import type { Log } from '../../core/log.ts'
import { type ClientKind, clientKindOf } from '../snapshot/client-kind.ts'
import { dependencyOf } from '../snapshot/destination.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { effectiveKind, type Peer, type PushStats, type Subscriber } from './subscriber.ts'

export type SotwCall = ServerDuplexStream<DiscoveryRequest, DiscoveryResponse | Buffer>
type Subscription = { names: readonly string[]; nonce: string; sentVersion: string | undefined }

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
  #node: Node | undefined
  #client: ClientKind = 'envoy'
  #nonce = 0

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
    call.on('data', (request: DiscoveryRequest) => this.#receive(request))
  }

  push(dependencies: ReadonlySet<string>): void {
    for (const kind of order) {
      const subscription = this.#subscriptions.get(kind)
      if (subscription?.names.some((name) => dependencies.has(dependencyOf(name))) === true)
        this.#send(kind, subscription, false)
    }
  }

  describe(): object {
    const subscriptions = Object.fromEntries(
      [...this.#subscriptions].map(([kind, { names }]) => [kind, names]),
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
    }
    const kind = resourceKindOf(request.typeUrl ?? '')
    if (kind === undefined) return
    const names = request.resourceNames ?? []
    const known = this.#subscriptions.get(kind)
    if (known === undefined) {
      const made: Subscription = { names, nonce: '', sentVersion: undefined }
      this.#subscriptions.set(kind, made)
      this.#send(kind, made, true)
      return
    }
    // An answer to an older response than the last: it says nothing about the present.
    if ((request.responseNonce ?? '') !== known.nonce) return
    if (request.errorDetail !== undefined) {
      this.#stats.nacks++
      this.#log.warn(
        { code: 'RESOURCE_REJECTED', node: this.#node?.id, kind, reason: request.errorDetail.message },
        'a client refuses what it was sent; it keeps the last good one',
      )
    } else this.#stats.acks++
    const same = names.length === known.names.length && names.every((name) => known.names.includes(name))
    if (same) return
    known.names = names
    this.#send(kind, known, true)
  }

  /** `asked`: answer even if nothing changed, because the names did. */
  #send(kind: ResourceKind, subscription: Subscription, asked: boolean): void {
    const resources = subscription.names.flatMap((name) => {
      const owned = this.#snapshot.ownerOf(kind, name) !== undefined
      return owned ? [] : (this.#snapshot.get(kind, name, this.#client) ?? [])
    })
    const version = createHash('sha256')
      .update(resources.map((resource) => `${resource.name}@${resource.version}`).join(' '))
      .digest('hex')
      .slice(0, 16)
    if (!asked && version === subscription.sentVersion) return
    subscription.sentVersion = version
    subscription.nonce = String(++this.#nonce)
    this.#stats.pushes++
    this.#stats.resources += resources.length
    this.#call.write({
      versionInfo: version,
      nonce: subscription.nonce,
      typeUrl: typeUrls[kind],
      resources: resources.map(({ bytes }) => ({ typeUrl: typeUrls[kind], value: bytes })),
    })
  }
}
