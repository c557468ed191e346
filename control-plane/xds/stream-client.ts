/** Who is at the other end of a stream: what it says of itself, and what it makes of what it is sent. */
import type { ResourceKind } from '../../api/xds/type-urls.ts'
import type { DiscoveryRequest, Node } from '../../api/xds/types.ts'
import type { Log } from '../../core/log.ts'
import { type ClientKind, clientKindOf } from '../snapshot/client-kind.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { Convergence } from './convergence.ts'
import { effectiveKind, namespaceOf, type Peer, type PushStats } from './subscriber.ts'
import { Wildcard } from './wildcard.ts'

export type StreamParts = {
  readonly snapshot: Snapshot
  readonly stats: PushStats
  readonly log: Log
  readonly nowMs?: () => number
}

export class StreamClient {
  readonly peer: Peer
  /** What a gateway means by everything. */
  readonly wildcard: Wildcard
  readonly #stats: PushStats
  readonly #log: Log
  readonly #convergence: Convergence
  #node: Node | undefined
  #kind: ClientKind = 'envoy'

  constructor(peer: Peer, { snapshot, stats, log, nowMs = () => 0 }: StreamParts) {
    this.peer = peer
    this.wildcard = new Wildcard(snapshot)
    this.#stats = stats
    this.#log = log
    this.#convergence = new Convergence(nowMs, (elapsedMs) => stats.onConverged?.(elapsedMs))
  }

  get kind(): ClientKind {
    return this.#kind
  }

  get namespace(): string {
    return namespaceOf(this.peer)
  }

  /** Takes note of what a request says of its sender; only the first has to. */
  learn(node: Node | undefined): void {
    if (node === undefined) return
    this.#node = node
    this.#kind = effectiveKind(clientKindOf(node), this.peer)
    if (this.#kind === 'envoy') this.wildcard.configure(node, this.#log)
  }

  /** A response with so many resources is on its way. */
  wrote(resources: number): void {
    this.#stats.pushes++
    this.#stats.resources += resources
    this.#convergence.wrote()
  }

  /** A change is about to be sent; `flushed` once that is done. */
  changed(sinceMs: number | undefined): void {
    this.#convergence.changed(sinceMs)
  }

  /** `blocked`: the client reads too slowly, and something waits for it. */
  flushed(blocked: boolean): void {
    this.#convergence.flushed(blocked)
  }

  /** Counts an answer; `errorDetail`: why it is a refusal. */
  answered(kind: ResourceKind, errorDetail: DiscoveryRequest['errorDetail']): void {
    this.#convergence.answered(errorDetail === undefined)
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

  /** For the admin page. */
  describe(protocol: string, names: Iterable<readonly [ResourceKind, Iterable<string>]>): object {
    const subscriptions = Object.fromEntries([...names].map(([kind, of]) => [kind, [...of]]))
    return { node: this.#node?.id ?? '', kind: this.#kind, protocol, peer: this.peer.address, subscriptions }
  }
}
