/** One incremental stream: per type the names it wants and the versions it was sent. */
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { encode } from '../../api/xds/codec.ts'
import { type ResourceKind, resourceKindOf, typeUrls } from '../../api/xds/type-urls.ts'
import type { DeltaDiscoveryRequest, DeltaDiscoveryResponse, Node } from '../../api/xds/types.ts'
import type { Log } from '../../core/log.ts'
import { type ClientKind, clientKindOf } from '../snapshot/client-kind.ts'
import { dependencyOf } from '../snapshot/destination.ts'
import type { Snapshot, SnapshotResource } from '../snapshot/snapshot.ts'
import { effectiveKind, type Peer, type PushStats, type Subscriber } from './subscriber.ts'

export type DeltaCall = ServerDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse | Buffer>
/** Sent and gone: the client knows that there is no such resource. */
const absent = ''
/** Make before break: what routes name comes before them. */
const order: readonly ResourceKind[] = [
  'secret',
  'cluster',
  'clusterLoadAssignment',
  'listener',
  'routeConfiguration',
]
/** More names on one stream than any workload talks to: somebody is filling our memory. */
const maxNames = 50_000

/** Encodes each set of resources once, for all streams that are sent the same in one push. */
export class ResponseCache {
  readonly #bytes = new Map<string, Buffer>()
  #nonce = 0

  get(kind: ResourceKind, resources: readonly SnapshotResource[], removed: readonly string[]): Buffer {
    const key = `${kind} ${resources.map(({ name, version }) => `${name}@${version}`).join(' ')} -${removed.join(' ')}`
    const known = this.#bytes.get(key)
    if (known !== undefined) return known
    const made = encode('envoy.service.discovery.v3.DeltaDiscoveryResponse', {
      typeUrl: typeUrls[kind],
      nonce: String(++this.#nonce),
      resources: resources.map(({ name, version, bytes }) => ({
        name,
        version,
        resource: { typeUrl: typeUrls[kind], value: bytes },
      })),
      removedResources: removed,
    })
    this.#bytes.set(key, made)
    return made
  }

  /** The push is over; its responses are not asked for again. */
  clear(): void {
    this.#bytes.clear()
  }
}

export class DeltaStream implements Subscriber {
  readonly #call: DeltaCall
  readonly #peer: Peer
  readonly #snapshot: Snapshot
  readonly #responses: ResponseCache
  readonly #stats: PushStats
  readonly #log: Log
  /** By type: the names wanted, each with the version sent (undefined: nothing yet). */
  readonly #wanted = new Map<ResourceKind, Map<string, string | undefined>>(
    order.map((kind) => [kind, new Map()]),
  )
  #node: Node | undefined
  #client: ClientKind = 'envoy'
  #blocked = false
  #missed: Set<string> | undefined

  constructor(
    call: DeltaCall,
    peer: Peer,
    parts: {
      readonly snapshot: Snapshot
      readonly responses: ResponseCache
      readonly stats: PushStats
      readonly log: Log
    },
  ) {
    this.#call = call
    this.#peer = peer
    this.#snapshot = parts.snapshot
    this.#responses = parts.responses
    this.#stats = parts.stats
    this.#log = parts.log
    call.on('data', (request: DeltaDiscoveryRequest) => this.#receive(request))
    call.on('drain', () => this.#onDrain())
  }

  push(dependencies: ReadonlySet<string>): void {
    if (this.#blocked) {
      // A slow reader gets the newest state when it reads again, not everything in between.
      this.#missed = new Set([...(this.#missed ?? []), ...dependencies])
      return
    }
    for (const kind of order) {
      const names = [...(this.#wanted.get(kind) as Map<string, string | undefined>).keys()]
      this.#send(
        kind,
        names.filter((name) => dependencies.has(dependencyOf(name))),
        false,
      )
    }
  }

  describe(): object {
    const subscriptions = Object.fromEntries(
      [...this.#wanted].map(([kind, names]) => [kind, [...names.keys()]]),
    )
    return {
      node: this.#node?.id ?? '',
      kind: this.#client,
      protocol: 'delta',
      peer: this.#peer.address,
      subscriptions,
    }
  }

  #receive(request: DeltaDiscoveryRequest): void {
    if (request.node !== undefined) {
      this.#node = request.node
      this.#client = effectiveKind(clientKindOf(request.node), this.#peer)
    }
    const kind = resourceKindOf(request.typeUrl ?? '')
    if (kind === undefined) {
      this.#log.debug({ typeUrl: request.typeUrl }, 'a type that is not served')
      return
    }
    if ((request.responseNonce ?? '') !== '') this.#answered(kind, request)
    const wanted = this.#wanted.get(kind) as Map<string, string | undefined>
    for (const name of request.resourceNamesUnsubscribe ?? []) wanted.delete(name)
    const versions = request.initialResourceVersions ?? {}
    const added = request.resourceNamesSubscribe ?? []
    if (wanted.size + added.length > maxNames) {
      this.#call.destroy(new Error('too many subscriptions'))
      return
    }
    for (const name of added) wanted.set(name, versions[name])
    if (added.length > 0) this.#send(kind, added, true)
  }

  #answered(kind: ResourceKind, { errorDetail }: DeltaDiscoveryRequest): void {
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

  #mayHave(kind: ResourceKind, name: string): boolean {
    const owner = this.#snapshot.ownerOf(kind, name)
    if (owner === undefined) return true
    const { identity } = this.#peer
    return identity?.namespace === owner.namespace && identity.serviceAccount === owner.serviceAccount
  }

  /** `asked`: the client waits for an answer, so also what does not exist is answered. */
  #send(kind: ResourceKind, names: readonly string[], asked: boolean): void {
    const wanted = this.#wanted.get(kind) as Map<string, string | undefined>
    const resources: SnapshotResource[] = []
    const removed: string[] = []
    for (const name of names) {
      const found = this.#mayHave(kind, name) ? this.#snapshot.get(kind, name, this.#client) : undefined
      const sent = wanted.get(name)
      if (found === undefined) {
        if (asked || (sent !== undefined && sent !== absent)) removed.push(name)
        wanted.set(name, absent)
      } else if (found.version !== sent) {
        resources.push(found)
        wanted.set(name, found.version)
      }
    }
    if (resources.length === 0 && removed.length === 0) return
    this.#stats.pushes++
    this.#stats.resources += resources.length
    this.#blocked = !this.#call.write(this.#responses.get(kind, resources, removed))
  }

  #onDrain(): void {
    this.#blocked = false
    const missed = this.#missed
    this.#missed = undefined
    if (missed !== undefined) this.push(missed)
  }
}
