/** What a gateway's stream asks for without naming it: worked out anew when one of its destinations changes. */
import type { ResourceKind } from '../../api/xds/type-urls.ts'
import type { Node } from '../../api/xds/types.ts'
import type { Log } from '../../core/log.ts'
import { dependencyOf } from '../snapshot/destination.ts'
import { type GatewayPort, gatewayOf } from '../snapshot/gateway.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'

/** The name that means everything, where a client does not leave the names out. */
export const everything = '*'

export class Wildcard {
  readonly #snapshot: Snapshot
  readonly #names = new Map<ResourceKind, ReadonlySet<string>>()
  #ports: readonly GatewayPort[] = []
  #dependencies: ReadonlySet<string> = new Set()

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot
  }

  /** Takes what the node says of itself. */
  configure(node: Node, log: Log): void {
    const { ports, problems } = gatewayOf(node)
    this.#ports = ports
    this.#dependencies = new Set(ports.map(({ destination }) => dependencyOf(destination)))
    if (problems.length > 0)
      log.warn(
        { code: 'RESOURCE_INVALID', node: node.id, problems },
        "a gateway's metadata ask for listeners that cannot be",
      )
  }

  /** From now on everything of this kind is wanted. */
  want(kind: ResourceKind): void {
    if (!this.#names.has(kind)) this.#names.set(kind, new Set())
  }

  /** The kinds of which everything is wanted. */
  kinds(): Iterable<ResourceKind> {
    return this.#names.keys()
  }

  /** Everything of a kind, as last worked out; undefined when it is not wanted. */
  names(kind: ResourceKind): ReadonlySet<string> | undefined {
    return this.#names.get(kind)
  }

  isTouchedBy(dependencies: ReadonlySet<string>): boolean {
    return this.#names.size > 0 && !this.#dependencies.isDisjointFrom(dependencies)
  }

  /** Works out what there is now; gives what went. */
  refresh(kind: ResourceKind, namespace: string): ReadonlySet<string> {
    const before = this.#names.get(kind) ?? new Set<string>()
    const now = this.#snapshot.everythingFor(this.#ports, kind, namespace)
    this.#names.set(kind, now)
    return before.difference(now)
  }
}
