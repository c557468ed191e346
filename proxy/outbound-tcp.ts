/** Where the application's connections go whose bytes nobody looks into: to the destination's backends, or past the mesh. */
import { defaultOpaquePorts } from '../api/opaque-ports.ts'
import { parseServiceName } from '../api/xds/naming.ts'
import type { Clock } from '../core/clock.ts'
import { WeftError } from '../core/errors.ts'
import { includesPort } from '../core/port-ranges.ts'
import type { Cluster } from './cluster/cluster.ts'
import type { ClusterSet } from './cluster/cluster-set.ts'
import type { Discovery } from './config-sink.ts'
import type { Passthrough } from './passthrough.ts'
import { makeSplit } from './route/split.ts'
import type { TcpRoute } from './route/tcp-route.ts'
import type { TcpUpstream } from './tcp-forward.ts'

export type OutboundTcpParts = {
  readonly clock: Clock
  readonly clusters: ClusterSet
  readonly discovery: Discovery
  readonly policy: 'allow' | 'deny'
  readonly passthrough: Passthrough
  /** Dials an endpoint of the cluster, another one if that does not accept. Rejects with UpstreamFailure. */
  readonly dial: (cluster: Cluster, apex: string) => Promise<TcpUpstream>
}

type Known = {
  readonly opaque: boolean
  readonly apex: string
  /** undefined: the mesh does not know it. */
  readonly choose: (() => Cluster | undefined) | undefined
  touchedMs: number
}

const touchEveryMs = 60_000

function portOf(destination: string): number {
  return Number(destination.slice(destination.lastIndexOf(':') + 1))
}

export class OutboundTcp {
  readonly #parts: OutboundTcpParts
  readonly #known = new Map<string, Known>()

  constructor(parts: OutboundTcpParts) {
    this.#parts = parts
  }

  /** undefined: the destination takes requests only. */
  set(destination: string, route: TcpRoute | undefined, apex = ''): void {
    if (route === undefined) {
      this.#known.delete(destination)
      return
    }
    const { clusters } = this.#parts
    const choices = route.clusters.map(({ cluster, weight }) => ({ item: cluster, weight }))
    const choose = makeSplit(choices, (name) => clusters.get(name)?.available === true)
    this.#known.set(destination, {
      opaque: route.opaque,
      apex,
      choose: () => clusters.get(choose() ?? ''),
      touchedMs: 0,
    })
  }

  setUnknown(destination: string): void {
    const opaque = includesPort(defaultOpaquePorts, portOf(destination))
    this.#known.set(destination, { opaque, apex: '', choose: undefined, touchedMs: 0 })
  }

  remove(destination: string): void {
    this.#known.delete(destination)
  }

  /** Whether nobody is to look at the destination's bytes; undefined: it has to be discovered first. */
  isOpaque(destination: string): boolean | undefined {
    return this.#known.get(destination)?.opaque
  }

  /** Whether the mesh takes connections, and not only requests, to a destination that was discovered. */
  takes(destination: string): boolean {
    const known = this.#known.get(destination)
    return known === undefined ? false : known.choose !== undefined || this.#parts.policy === 'allow'
  }

  /** Asks for the destination if nobody has; never rejects. */
  async discover(destination: string): Promise<void> {
    if (this.#known.has(destination)) return
    const outcome = await this.#parts.discovery.resolve(destination)
    // Away, the control plane may yet say something else: then this is replaced.
    if (outcome === 'unknown' || outcome === 'unavailable') {
      if (!this.#known.has(destination)) this.setUnknown(destination)
    }
  }

  /**
   * A connection to an endpoint of the destination; `serverName` is that of the client's own TLS, and leads to a Service
   * of the mesh where the address leads to none. Rejects with UpstreamFailure, or with WeftError DESTINATION_UNKNOWN or
   * NO_ENDPOINTS.
   */
  async connect(destination: string, serverName?: string): Promise<TcpUpstream> {
    await this.discover(destination)
    const known = this.#known.get(destination)
    if (known?.choose !== undefined) return this.#connectKnown(destination, known, known.choose)
    const named = serverName === undefined ? undefined : meshName(serverName, portOf(destination))
    if (named !== undefined) {
      await this.discover(named)
      const byName = this.#known.get(named)
      if (byName?.choose !== undefined) return this.#connectKnown(named, byName, byName.choose)
    }
    return this.#connectUnknown(destination)
  }

  #connectKnown(name: string, known: Known, choose: () => Cluster | undefined): Promise<TcpUpstream> {
    const { clock, dial, discovery } = this.#parts
    const now = clock.monotonicMs()
    if (now - known.touchedMs > touchEveryMs) {
      known.touchedMs = now
      discovery.touch(name)
    }
    const cluster = choose()
    if (cluster === undefined)
      throw new WeftError('NO_ENDPOINTS', `no backend of ${name} has a ready endpoint`)
    return dial(cluster, known.apex)
  }

  async #connectUnknown(destination: string): Promise<TcpUpstream> {
    const { dial, passthrough, policy } = this.#parts
    if (policy !== 'allow') throw new WeftError('DESTINATION_UNKNOWN', `${destination} is not in the mesh`)
    return dial(await passthrough.clusterFor(destination), '')
  }
}

/** The Service that a server name names in full; others are not asked for, they would fill the memory. */
function meshName(serverName: string, port: number): string | undefined {
  const name = `${serverName.toLowerCase()}:${port}`
  return /\.svc(?:\..+)?:/.test(name) && parseServiceName(name) !== undefined ? name : undefined
}
