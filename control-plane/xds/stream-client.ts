/** Who is at the other end of a stream: what it says of itself, and what it makes of what it is sent. */
import type { SidecarFacts } from '../../api/diagnosis.ts'
import { formatSpiffeId } from '../../api/spiffe.ts'
import { fromStruct } from '../../api/xds/struct.ts'
import type { ResourceKind } from '../../api/xds/type-urls.ts'
import type { DiscoveryRequest, Node } from '../../api/xds/types.ts'
import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import { type ClientKind, clientKindOf } from '../snapshot/client-kind.ts'
import type { ResourceOwner, Snapshot } from '../snapshot/snapshot.ts'
import { Convergence } from './convergence.ts'
import { effectiveKind, namespaceOf, type Peer, type PushStats } from './subscriber.ts'
import { Wildcard } from './wildcard.ts'

export type StreamParts = {
  readonly snapshot: Snapshot
  readonly stats: PushStats
  readonly log: Log
  readonly clock: Pick<Clock, 'monotonicMs' | 'wallMs'>
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
  readonly #connectedAtMs: number
  /** Versions of the trust bundle that are on their way, oldest first; answers come in that order. */
  readonly #bundlesSent: string[] = []
  #bundle: string | null = null
  /** Why it refused what it was last sent of a kind; gone once it takes something of it. */
  readonly #refused = new Map<ResourceKind, string>()

  constructor(peer: Peer, { snapshot, stats, log, clock }: StreamParts) {
    this.peer = peer
    this.wildcard = new Wildcard(snapshot)
    this.#stats = stats
    this.#log = log
    this.#connectedAtMs = clock.wallMs()
    this.#convergence = new Convergence(clock.monotonicMs, (elapsedMs) => stats.onConverged?.(elapsedMs))
  }

  get kind(): ClientKind {
    return this.#kind
  }

  get namespace(): string {
    return namespaceOf(this.peer)
  }

  /** Whether it has proven to be this one: also the pod, where its token names one, and else as it says itself. */
  is({ namespace, serviceAccount, pod }: ResourceOwner): boolean {
    const { identity } = this.peer
    if (identity?.namespace !== namespace || identity.serviceAccount !== serviceAccount) return false
    const own = identity.pod ?? textOf(fromStruct(this.#node?.metadata)['POD'])
    return own === undefined || own === pod
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

  /** It was sent this version of the trust bundle. */
  sentBundle(version: string): void {
    this.#bundlesSent.push(version)
  }

  /** It has this version of the trust bundle from an earlier stream. */
  holdsBundle(version: string): void {
    this.#bundle = version
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
    const bundle = kind === 'secret' ? this.#bundlesSent.shift() : undefined
    if (bundle !== undefined && errorDetail === undefined) this.#bundle = bundle
    if (errorDetail === undefined) {
      this.#refused.delete(kind)
      this.#stats.acks++
      return
    }
    this.#refused.set(kind, errorDetail.message ?? '')
    this.#stats.nacks++
    this.#log.warn(
      { code: 'RESOURCE_REJECTED', node: this.#node?.id, kind, reason: errorDetail.message },
      'a client refuses what it was sent; it keeps the last good one',
    )
  }

  /** Who and how it is, if it is a sidecar. */
  sidecar(trustDomain: string): SidecarFacts | undefined {
    const node = this.#node
    if (this.#kind !== 'sidecar' || node === undefined) return undefined
    const { identity } = this.peer
    const facts = fromStruct(node.metadata)
    return {
      namespace: textOf(facts['NAMESPACE']) ?? '',
      pod: textOf(facts['POD']) ?? '',
      identity: identity === undefined ? null : formatSpiffeId({ trustDomain, ...identity }),
      version: node.userAgentVersion ?? '',
      admin: textOf(facts['ADMIN_ADDRESS']) ?? null,
      connectedAtMs: this.#connectedAtMs,
      bundle: this.#bundle,
      certificateRoot: textOf(facts['CERTIFICATE_ROOT']) ?? null,
      certificateNotAfterMs: numberOf(facts['CERTIFICATE_NOT_AFTER_MS']) ?? null,
      refused: [...this.#refused].map(([kind, reason]) => ({ kind, reason })),
    }
  }

  /** For the admin page. */
  describe(protocol: string, names: Iterable<readonly [ResourceKind, Iterable<string>]>): object {
    const subscriptions = Object.fromEntries([...names].map(([kind, of]) => [kind, [...of]]))
    return { node: this.#node?.id ?? '', kind: this.#kind, protocol, peer: this.peer.address, subscriptions }
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
