/** The outbound side: what the application sends, to destinations that the mesh knows or lets pass. */
import { WeftError } from '../core/errors.ts'
import { Body } from './body.ts'
import type { ClusterSet } from './cluster/cluster-set.ts'
import type { Discovery } from './config-sink.ts'
import { type Exchange, type Handler, type Receiver, Reply } from './exchange.ts'
import { HeaderList } from './header-list.ts'
import { connectNotAllowed } from './http1/request-head.ts'
import { WireError } from './http1/wire-error.ts'
import { compose, type Layer } from './layer.ts'
import { withoutClientIdentity } from './layers/client-identity.ts'
import { metrics } from './layers/metrics.ts'
import { rescue } from './layers/rescue.ts'
import { shed } from './layers/shed.ts'
import { callDeadline } from './layers/timeout.ts'
import type { Admission } from './overload/admission.ts'
import type { OutboundTcp } from './outbound-tcp.ts'
import type { Passthrough } from './passthrough.ts'
import { DestinationRetries } from './retry/destination-retries.ts'
import { routed, type RoutedParts } from './routed.ts'
import { destinationName } from '../api/xds/destination-name.ts'
import type { VirtualHostRules } from './route/route-rule.ts'
import type { SpliceWatch } from './tcp/splice.ts'
import type { TcpUpstream } from './tcp-forward.ts'
import type { GoldenStats } from './telemetry/golden-stats.ts'

export type OutboundParts = RoutedParts & {
  readonly clusters: ClusterSet
  readonly admission: Admission
  readonly namespace: string
  readonly discovery: Discovery
  readonly policy: 'allow' | 'deny'
  readonly passthrough: Passthrough
  readonly tcp: OutboundTcp
  /** Counts the connection of a tunnel. */
  readonly onTunnel: (x: Exchange, upstream: TcpUpstream) => SpliceWatch
  readonly localStats: (x: Exchange) => GoldenStats
  readonly onUnexpected: (error: unknown) => void
  /** Layers that are there only when asked for (access log), and the trace. */
  readonly observers: readonly Layer[]
}

/** What is known about a destination: its ready chain, or that the mesh does not know it. */
type Known = { handler: Handler; touchedMs: number }

/** Names come from requests: unknown ones must not fill the memory. */
const maxNames = 10_000
const touchEveryMs = 60_000

export class Outbound {
  readonly #parts: OutboundParts
  /** By name as the client wrote it, so that the usual request needs one look-up. */
  readonly #byAuthority = new Map<string, string>()
  /** The last one and its name: comparing costs less than the look-up, and most requests are like the one before. */
  #lastAuthority: string | undefined
  #lastName = ''
  readonly #known = new Map<string, Known>()
  /** By destination, and longer than any one of its configurations: a change must not fill a budget again. */
  readonly #retries = new Map<string, DestinationRetries>()
  readonly #chain: Layer
  /** Requests to destinations that the mesh does not know, and that were refused for it; read at scrape. */
  denied = 0
  /** One handler for all: it finds the destination's own chain. */
  readonly handler: Handler
  /** Of CONNECT. */
  readonly connect: Handler

  constructor(parts: OutboundParts) {
    this.#parts = parts
    this.#chain = compose(
      // Sees the final status of everything, replies made below included.
      metrics(parts.localStats),
      ...parts.observers,
      // Inside of what counts and logs, outside of all that can fail.
      rescue(parts.onUnexpected),
      // Before any work is done that overload could be spared.
      shed(parts.admission),
      // A call's own time, whatever its route allows.
      callDeadline(parts.clock),
      withoutClientIdentity(),
    )
    this.handler = this.#chain((x, receiver) => this.#toDestination(x, receiver))
    const tunnel = this.#chain((x, receiver) => void this.#tunnel(x, receiver))
    this.connect = (x, receiver) => void this.#allowed(x, receiver, tunnel)
  }

  /** The handler of a listener that has routes of its own. */
  handlerOf(name: string, hosts: readonly VirtualHostRules[]): Handler {
    const handle = routed(hosts, this.#parts, this.#retriesOf(name))
    return this.#chain((x, receiver) => {
      x.destination = name
      handle(x, receiver)
    })
  }

  setRoutes(destination: string, hosts: readonly VirtualHostRules[], apex?: string): void {
    this.#known.set(destination, {
      handler: routed(hosts, this.#parts, this.#retriesOf(destination), apex),
      touchedMs: 0,
    })
  }

  setUnknown(destination: string): void {
    this.#known.set(destination, { handler: this.#unknownHandler, touchedMs: 0 })
  }

  remove(destination: string): void {
    this.#known.delete(destination)
    this.#retries.delete(destination)
  }

  /** What is counted of the retries to each destination. */
  get retries(): ReadonlyMap<string, DestinationRetries> {
    return this.#retries
  }

  /** Destinations that have a chain of their own. */
  get destinations(): readonly string[] {
    return [...this.#known.keys()]
  }

  #retriesOf(destination: string): DestinationRetries {
    const known = this.#retries.get(destination)
    if (known !== undefined) return known
    const made = new DestinationRetries(this.#parts.clock.monotonicMs)
    this.#retries.set(destination, made)
    return made
  }

  #toDestination(x: Exchange, receiver: Receiver): void {
    const name = this.#nameOf(x)
    x.destination = name
    const known = this.#known.get(name)
    if (known === undefined) {
      void this.#discover(x, name, receiver)
      return
    }
    const now = x.startedAtMs
    if (now - known.touchedMs > touchEveryMs) {
      known.touchedMs = now
      this.#parts.discovery.touch(name)
    }
    known.handler(x, receiver)
  }

  /** A tunnel to where connections may go; anything else is refused as everywhere. */
  async #allowed(x: Exchange, receiver: Receiver, tunnel: Handler): Promise<void> {
    const { tcp } = this.#parts
    try {
      x.destination = this.#nameOf(x)
      await tcp.discover(x.destination)
      if (tcp.takes(x.destination)) tunnel(x, receiver)
      else receiver.onFailure(x, new WireError(405, connectNotAllowed))
    } catch (error) {
      receiver.onFailure(x, error)
    }
  }

  async #tunnel(x: Exchange, receiver: Receiver): Promise<void> {
    const { tcp, onTunnel } = this.#parts
    try {
      const upstream = await tcp.connect(x.destination)
      x.nowMs = this.#parts.clock.monotonicMs()
      if (x.aborted) {
        upstream.wire.destroy()
        upstream.release()
        return
      }
      x.clusterName = upstream.cluster
      x.upstreamAddress = upstream.address
      const { wire, early } = upstream
      const tunnel = { takeWire: () => ({ wire, early, watch: onTunnel(x, upstream) }) }
      receiver.onReply(x, new Reply(200, 'Connection established', new HeaderList(), Body.empty, tunnel))
    } catch (error) {
      receiver.onFailure(x, error)
    }
  }

  #nameOf(x: Exchange): string {
    // Redirected: the address that the client dialled decides, not what it wrote into Host (GAMMA).
    const authority = x.downstream.originalDestination ?? x.authority
    if (authority === this.#lastAuthority) return this.#lastName
    const name = this.#nameFor(authority)
    this.#lastAuthority = authority
    this.#lastName = name
    return name
  }

  #nameFor(authority: string): string {
    const cached = this.#byAuthority.get(authority)
    if (cached !== undefined) return cached
    if (authority === '') throw new WeftError('REQUEST_MALFORMED', 'the request names no destination')
    const name = destinationName(authority, this.#parts.namespace)
    if (this.#byAuthority.size >= maxNames) this.#byAuthority.clear()
    this.#byAuthority.set(authority, name)
    return name
  }

  async #discover(x: Exchange, name: string, receiver: Receiver): Promise<void> {
    try {
      const outcome = await this.#parts.discovery.resolve(name)
      x.nowMs = this.#parts.clock.monotonicMs()
      const known = this.#known.get(name)
      if (known !== undefined) known.handler(x, receiver)
      else if (outcome === 'unavailable' || outcome === 'unknown') this.#unknownHandler(x, receiver)
      else throw new WeftError('NO_ROUTE', `${name} was removed`)
    } catch (error) {
      receiver.onFailure(x, error)
    }
  }

  readonly #unknownHandler: Handler = (x, receiver) => {
    if (this.#parts.policy !== 'allow') {
      this.denied++
      throw new WeftError('DESTINATION_UNKNOWN', `${x.destination} is not in the mesh`)
    }
    this.#parts.passthrough.handle(x, receiver)
  }
}
