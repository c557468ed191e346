/** One incremental stream: per type the names it wants and the versions it was sent. */
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { encode } from '../../api/xds/codec.ts'
import type { SidecarFacts } from '../../api/diagnosis.ts'
import { type ResourceKind, resourceKindOf, typeUrls } from '../../api/xds/type-urls.ts'
import type { DeltaDiscoveryRequest, DeltaDiscoveryResponse } from '../../api/xds/types.ts'
import type { Log } from '../../core/log.ts'
import { dependencyOf } from '../snapshot/destination.ts'
import type { Snapshot, SnapshotResource } from '../snapshot/snapshot.ts'
import { StreamClient, type StreamParts } from './stream-client.ts'
import { maxNames, type Peer, pushOrder, refuseNames, type Subscriber } from './subscriber.ts'
import { everything } from './wildcard.ts'

export type DeltaCall = ServerDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse | Buffer>
/** Sent and gone: the client knows that there is no such resource. */
const absent = ''
/** ... and leaves after them. */
const leavesLast: ReadonlySet<ResourceKind> = new Set(['cluster', 'clusterLoadAssignment'])
/** Sets of names are chosen by clients, and between two pushes nothing else empties the cache. */
const maxCachedBytes = 8 * 1024 * 1024

/** Encodes each set of resources once, for all streams that are sent the same in one push. */
export class ResponseCache {
  readonly #bytes = new Map<string, Buffer>()
  #size = 0
  #nonce = 0

  /** How many bytes are kept. */
  get size(): number {
    return this.#size
  }

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
    // Names alone are made in no time, and those that clients make up are never asked for again.
    if (resources.length === 0) return made
    if (this.#size > maxCachedBytes) this.clear()
    this.#size += made.length + key.length
    this.#bytes.set(key, made)
    return made
  }

  /** The push is over; its responses are not asked for again. */
  clear(): void {
    this.#bytes.clear()
    this.#size = 0
  }
}

export class DeltaStream implements Subscriber {
  readonly #call: DeltaCall
  readonly #client: StreamClient
  readonly #snapshot: Snapshot
  readonly #responses: ResponseCache
  readonly #log: Log
  /** By type: the names wanted, each with the version sent (undefined: the client waits for its first answer). */
  readonly #wanted = new Map<ResourceKind, Map<string, string | undefined>>(
    pushOrder.map((kind) => [kind, new Map()]),
  )
  /** By type: the names to look at in the next flush. */
  readonly #due = new Map<ResourceKind, Set<string>>(pushOrder.map((kind) => [kind, new Set()]))
  /** By type: what a wildcard gave, and gives no more. */
  readonly #leaving = new Map<ResourceKind, Set<string>>(pushOrder.map((kind) => [kind, new Set()]))
  readonly #asked = new Set<ResourceKind>()
  #blocked = false

  constructor(call: DeltaCall, peer: Peer, parts: StreamParts & { readonly responses: ResponseCache }) {
    this.#call = call
    this.#client = new StreamClient(peer, parts)
    this.#snapshot = parts.snapshot
    this.#responses = parts.responses
    this.#log = parts.log
    call.on('data', (request: DeltaDiscoveryRequest) => this.#receive(request))
    call.on('drain', () => {
      this.#blocked = false
      this.#flush()
    })
  }

  push(dependencies: ReadonlySet<string>, changedAtMs?: number): void {
    this.#client.changed(changedAtMs)
    if (this.#client.wildcard.isTouchedBy(dependencies)) this.#refreshWildcards()
    for (const [kind, names] of this.#wanted) {
      const due = this.#due.get(kind) as Set<string>
      for (const name of names.keys()) if (dependencies.has(dependencyOf(name))) due.add(name)
    }
    this.#flush()
    this.#client.flushed(this.#blocked)
  }

  sidecar(trustDomain: string): SidecarFacts | undefined {
    return this.#client.sidecar(trustDomain)
  }

  describe(): object {
    const wanted = [...this.#wanted].map(([kind, names]) => [kind, names.keys()] as const)
    return this.#client.describe('delta', wanted)
  }

  #receive(request: DeltaDiscoveryRequest): void {
    this.#client.learn(request.node)
    const kind = resourceKindOf(request.typeUrl ?? '')
    if (kind === undefined) {
      this.#log.debug({ typeUrl: request.typeUrl }, 'a type that is not served')
      return
    }
    if ((request.responseNonce ?? '') !== '') this.#client.answered(kind, request.errorDetail)
    const wanted = this.#wanted.get(kind) as Map<string, string | undefined>
    const due = this.#due.get(kind) as Set<string>
    for (const name of request.resourceNamesUnsubscribe ?? []) {
      wanted.delete(name)
      due.delete(name)
    }
    const versions = request.initialResourceVersions ?? {}
    const names = request.resourceNamesSubscribe ?? []
    if (this.#asksForAll(kind, names)) this.#subscribeToAll(kind, versions)
    const added = names.filter((name) => name !== everything)
    if (wanted.size + added.length > maxNames) {
      refuseNames(this.#call)
      return
    }
    for (const name of added) {
      wanted.set(name, versions[name])
      due.add(name)
    }
    this.#flush()
  }

  /** Gateways alone know no names: a first request without any, or with the wildcard among them. */
  #asksForAll(kind: ResourceKind, names: readonly string[]): boolean {
    const first = !this.#asked.has(kind)
    this.#asked.add(kind)
    if (this.#client.kind !== 'envoy') return false
    return names.includes(everything) || (first && names.length === 0)
  }

  /** `versions`: what the client has from an earlier stream; what of it is no more is taken away. */
  #subscribeToAll(kind: ResourceKind, versions: { readonly [name: string]: string }): void {
    this.#client.wildcard.want(kind)
    this.#refreshWildcard(kind)
    const wanted = this.#wanted.get(kind) as Map<string, string | undefined>
    const now = this.#client.wildcard.names(kind) as ReadonlySet<string>
    for (const [name, version] of Object.entries(versions).slice(0, maxNames)) {
      wanted.set(name, version)
      if (!now.has(name)) this.#leave(kind, name)
    }
  }

  #refreshWildcards(): void {
    for (const kind of this.#client.wildcard.kinds()) this.#refreshWildcard(kind)
  }

  #refreshWildcard(kind: ResourceKind): void {
    for (const name of this.#client.wildcard.refresh(kind, this.#client.namespace)) this.#leave(kind, name)
    const wanted = this.#wanted.get(kind) as Map<string, string | undefined>
    for (const name of this.#client.wildcard.names(kind) ?? []) {
      this.#leaving.get(kind)?.delete(name)
      if (wanted.has(name)) continue
      wanted.set(name, undefined)
      this.#due.get(kind)?.add(name)
    }
  }

  #leave(kind: ResourceKind, name: string): void {
    this.#leaving.get(kind)?.add(name)
    this.#due.get(kind)?.add(name)
  }

  #mayHave(kind: ResourceKind, name: string): boolean {
    const owner = this.#snapshot.ownerOf(kind, name)
    if (owner === undefined) return true
    return this.#client.is(owner)
  }

  #flush(): void {
    // A slow reader gets the newest state when it reads again, not everything in between.
    if (this.#blocked || this.#call.writableEnded) return
    const last: (() => void)[] = []
    for (const kind of pushOrder) {
      const { resources, removed } = this.#takeDue(kind)
      if (kind === 'cluster' && this.#client.kind === 'envoy') this.#repeatEndpoints(resources)
      if (leavesLast.has(kind)) {
        this.#write(kind, resources, [])
        last.unshift(() => this.#write(kind, [], removed))
      } else this.#write(kind, resources, removed)
    }
    for (const write of last) write()
  }

  /** Envoy makes a changed cluster anew, and uses it once it is told the endpoints again, the same or not. */
  #repeatEndpoints(clusters: readonly SnapshotResource[]): void {
    const wanted = this.#wanted.get('clusterLoadAssignment') as Map<string, string | undefined>
    for (const { name } of clusters) {
      if (!wanted.has(name)) continue
      wanted.set(name, undefined)
      this.#due.get('clusterLoadAssignment')?.add(name)
    }
  }

  /** What the client does not have yet of the names that are due, and what it has and should not. */
  #takeDue(kind: ResourceKind): {
    readonly resources: readonly SnapshotResource[]
    readonly removed: readonly string[]
  } {
    const wanted = this.#wanted.get(kind) as Map<string, string | undefined>
    const due = this.#due.get(kind) as Set<string>
    const resources: SnapshotResource[] = []
    const removed: string[] = []
    const leaving = this.#leaving.get(kind) as Set<string>
    for (const name of due) {
      if (leaving.delete(name)) {
        removed.push(name)
        wanted.delete(name)
        continue
      }
      const found = this.#mayHave(kind, name)
        ? this.#snapshot.get(kind, name, this.#client.kind, this.#client.namespace)
        : undefined
      const sent = wanted.get(name)
      wanted.set(name, found?.version ?? absent)
      if (found === undefined) {
        // What nobody asked for by its name is not missed.
        const missed = sent !== undefined || this.#client.wildcard.names(kind) === undefined
        if (missed && sent !== absent) removed.push(name)
      } else if (found.version !== sent) resources.push(found)
      else if (kind === 'secret') this.#client.holdsBundle(this.#snapshot.trustBundle)
    }
    due.clear()
    return { resources, removed }
  }

  #write(kind: ResourceKind, resources: readonly SnapshotResource[], removed: readonly string[]): void {
    if (resources.length === 0 && removed.length === 0) return
    this.#client.wrote(resources.length)
    if (kind === 'secret') this.#client.sentBundle(this.#snapshot.trustBundle)
    if (!this.#call.write(this.#responses.get(kind, resources, removed))) this.#blocked = true
  }
}
