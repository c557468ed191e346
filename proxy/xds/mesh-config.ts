/**
 * Follows names through LDS, RDS, CDS and EDS, and tells the data path when a destination is complete. Make before
 * break: new routes go in only when their clusters are there, clusters go only when no route names them.
 */
import { decode } from '../../api/xds/codec.ts'
import { rootCaSecret } from '../../api/xds/naming.ts'
import { type ResourceKind, resourceNames } from '../../api/xds/type-urls.ts'
import type { Clock } from '../../core/clock.ts'
import type { ConfigSink, Discovery } from '../config-sink.ts'
import { untilAnswered } from './answer-wait.ts'
import { type DecodedCluster, decodeCluster, decodeEndpoints } from './decode-cluster.ts'
import { type DecodedListener, decodeListener, decodeTrustBundle } from './decode-listener.ts'
import { type DecodedRoutes, decodeRoutes } from './decode-routes.ts'
import type { EndpointConfig } from '../cluster/cluster-config.ts'
import { KeptInbound } from './kept-inbound.ts'
import { KnownEndpoints } from './known-endpoints.ts'
import { apexOf, clustersOf, type Destination, rdsOf, routesOf, shown, tcpOf } from './destination.ts'
import type { ReceivedResource } from './delta-client.ts'
import type { StoredResource } from './last-known-good.ts'
import { type Decoded, decoded } from './problems.ts'
import type { Subscriptions } from './subscriptions.ts'
import { UnprovenNames } from './unproven-names.ts'

export type MeshConfigOptions = {
  readonly sink: ConfigSink
  readonly clock: Clock
  readonly subscriptions: Subscriptions
  readonly connected: () => boolean
  readonly inboundListener: string
  readonly onTrustBundle: (pem: string) => void
  /** A resource in force changed: what is kept on disk is out of date. `ownSide`: who may call this workload, for one. */
  readonly onChange: (ownSide: boolean) => void
  /** The control plane has not answered in time: this workload's own side is as it was kept. */
  readonly onKeptInbound?: () => void
}

/** Routes wait this long for clusters that do not come. */
const warmingTimeoutMs = 5_000
const idleMs = 600_000
const sweepEveryMs = 60_000

export class MeshConfig implements Discovery {
  readonly #options: MeshConfigOptions
  readonly #destinations = new Map<string, Destination>()
  readonly #routes = new Map<string, DecodedRoutes>()
  readonly #clusters = new Map<string, DecodedCluster>()
  readonly #endpoints = new KnownEndpoints()
  readonly #unproven = new UnprovenNames()
  readonly #raw = new Map<string, StoredResource>()
  readonly #keptInbound = new KeptInbound()
  #inboundKnown = false
  #trustKnown = false

  constructor(options: MeshConfigOptions) {
    this.#options = options
    options.subscriptions.subscribe('secret', rootCaSecret)
    options.subscriptions.subscribe('listener', options.inboundListener)
    this.#scheduleSweep()
  }

  /** True once this workload's own side and the roots are known, from the wire or from disk. */
  ready(): true | string {
    if (!this.#trustKnown) return 'no trust bundle yet'
    return this.#inboundKnown || 'the control plane has not described this workload yet'
  }

  /** Everything in force, for the disk. */
  snapshot(): readonly StoredResource[] {
    return [...this.#raw.values(), ...this.#keptInbound.held]
  }

  /** Puts back what a former run kept; this workload's own side only when the control plane says nothing newer. */
  restore(all: readonly StoredResource[]): void {
    const { inboundListener, clock, onKeptInbound } = this.#options
    // Nor is it claimed: that the control plane has it is what is waited for.
    const resources = this.#keptInbound.hold(all, inboundListener, clock, (own) => {
      if (this.#take(own.kind, own).ok) onKeptInbound?.()
    })
    for (const { kind, name } of resources) if (kind === 'listener') this.#destination(name)
    // Listeners last: by then everything that they lead to is here.
    for (const resource of resources) if (resource.kind !== 'listener') this.#take(resource.kind, resource)
    for (const resource of resources) if (resource.kind === 'listener') this.#take(resource.kind, resource)
    this.#advance()
    // Not all that was kept: what this version cannot read, or nothing leads to, has to come anew.
    for (const { kind, name, version } of this.#raw.values())
      this.#options.subscriptions.known(kind, name, version)
  }

  /** One response of the stream; returns every problem as `name: path: text`. Good resources beside bad ones count. */
  receive(
    kind: ResourceKind,
    resources: readonly ReceivedResource[],
    removed: readonly string[],
  ): readonly string[] {
    const problems: string[] = []
    for (const resource of resources) {
      const stored = this.#raw.get(`${kind} ${resource.name}`)
      if (stored !== undefined && stored.version === resource.version) continue
      const result = this.#take(kind, resource)
      if (!result.ok) problems.push(...result.problems.map((problem) => `${resource.name}: ${problem}`))
    }
    for (const name of removed) this.#remove(kind, name)
    this.#advance()
    if (resources.length > 0 || removed.length > 0)
      this.#options.onChange(resources.some(({ name }) => name === this.#options.inboundListener))
    return problems
  }

  resolve(name: string): Promise<'known' | 'unknown' | 'unavailable'> {
    const destination = this.#destination(name)
    this.#touch(name, destination)
    if (destination.state !== 'asked') return Promise.resolve(destination.state)
    const { clock, connected } = this.#options
    return untilAnswered(clock, connected, (listener) => destination.waiting.push(listener))
  }

  touch(name: string): void {
    const destination = this.#destinations.get(name)
    if (destination !== undefined) this.#touch(name, destination)
  }

  /** The clusters that the routes of a destination in force lead to. */
  clustersOf(name: string): readonly string[] {
    const { applied, appliedTcp } = this.#destinations.get(name) ?? {}
    return [...clustersOf(applied, appliedTcp)]
  }

  /** For the admin page /config. */
  dump(): object {
    const destinations = [...this.#destinations].map(([name, destination]) => [name, shown(destination)])
    const resources = [...this.#raw.values()].map(({ kind, name, version }) => ({ kind, name, version }))
    return { destinations: Object.fromEntries(destinations), resources }
  }

  #destination(name: string): Destination {
    const found = this.#destinations.get(name)
    if (found !== undefined) return found
    const made: Destination = {
      state: 'asked',
      listener: undefined,
      applied: undefined,
      appliedTcp: undefined,
      usedMs: this.#options.clock.monotonicMs(),
      warmUntilMs: Number.POSITIVE_INFINITY,
      waiting: [],
    }
    this.#destinations.set(name, made)
    this.#options.subscriptions.subscribe('listener', name)
    return made
  }

  #touch(name: string, destination: Destination): void {
    destination.usedMs = this.#options.clock.monotonicMs()
    if (destination.state === 'known') return
    this.#unproven.used(name)
    const surplus = this.#unproven.surplus()
    if (surplus !== undefined) this.#forget(surplus)
  }

  #take(kind: ResourceKind, { name, version, bytes }: ReceivedResource): Decoded<unknown> {
    const result = this.#decodeInto(kind, name, bytes)
    if (result.ok) this.#raw.set(`${kind} ${name}`, { kind, name, version, bytes })
    return result
  }

  #decodeInto(kind: ResourceKind, name: string, bytes: Uint8Array): Decoded<unknown> {
    switch (kind) {
      case 'listener':
        return this.#kept(
          decoded((problems) => decodeListener(decode(resourceNames.listener, bytes), problems)),
          (listener) => this.#setListener(name, listener),
        )
      case 'routeConfiguration':
        return this.#kept(
          decoded((problems) => decodeRoutes(decode(resourceNames.routeConfiguration, bytes), problems)),
          (routes) => this.#routes.set(name, routes),
        )
      case 'cluster':
        return this.#kept(
          decoded((problems) => decodeCluster(decode(resourceNames.cluster, bytes), problems)),
          (cluster) => this.#setCluster(name, cluster),
        )
      case 'clusterLoadAssignment':
        return this.#kept(
          decoded((problems) =>
            decodeEndpoints(decode(resourceNames.clusterLoadAssignment, bytes), problems),
          ),
          (endpoints) => this.#setEndpoints(name, endpoints),
        )
      case 'secret':
        return this.#kept(
          decoded((problems) => decodeTrustBundle(decode(resourceNames.secret, bytes), problems)),
          (pem) => {
            this.#trustKnown = true
            this.#options.onTrustBundle(pem)
          },
        )
    }
  }

  #kept<T>(result: Decoded<T>, keep: (value: T) => void): Decoded<T> {
    if (result.ok) keep(result.value)
    return result
  }

  #setListener(name: string, listener: DecodedListener): void {
    if (listener.kind === 'inbound') {
      if (name !== this.#options.inboundListener) return
      this.#keptInbound.drop()
      this.#inboundKnown = true
      this.#options.sink.setInbound(listener.config)
      return
    }
    this.#destination(name).listener = listener
    if ('rds' in listener.routes)
      this.#options.subscriptions.subscribe('routeConfiguration', listener.routes.rds)
  }

  #setCluster(name: string, cluster: DecodedCluster): void {
    const fresh = !this.#clusters.has(name)
    this.#clusters.set(name, cluster)
    this.#options.sink.setCluster(cluster.config)
    if ('inline' in cluster.endpoints) {
      this.#options.sink.setEndpoints(name, cluster.endpoints.inline)
    } else if ('dns' in cluster.endpoints) {
      this.#options.sink.resolveEndpoints(name, cluster.endpoints.dns, () => {
        if (this.#clusters.get(name) === cluster && this.#endpoints.asked(name)) this.#advance()
      })
    } else {
      this.#options.subscriptions.subscribe('clusterLoadAssignment', cluster.endpoints.eds)
      const endpoints = this.#endpoints.get(cluster.endpoints.eds)
      if (endpoints !== undefined) this.#options.sink.setEndpoints(name, endpoints)
    }
    // Routes that went ahead without this cluster have to see it.
    if (fresh)
      for (const d of this.#destinations.values())
        if (d.applied?.clusters.has(name) === true) d.applied = undefined
  }

  #setEndpoints(name: string, endpoints: readonly EndpointConfig[]): void {
    this.#endpoints.set(name, endpoints)
    for (const [clusterName, cluster] of this.#clusters) {
      if ('eds' in cluster.endpoints && cluster.endpoints.eds === name)
        this.#options.sink.setEndpoints(clusterName, endpoints)
    }
  }

  #remove(kind: ResourceKind, name: string): void {
    this.#raw.delete(`${kind} ${name}`)
    if (kind === 'listener') {
      const destination = this.#destinations.get(name)
      if (destination === undefined) return
      destination.listener = destination.applied = destination.appliedTcp = undefined
      this.#settle(name, destination, 'unknown')
      this.#options.sink.setUnknown(name)
    } else if (kind === 'routeConfiguration') {
      this.#routes.delete(name)
    } else if (kind === 'clusterLoadAssignment') {
      this.#setEndpoints(name, [])
    }
    // A cluster leaves when no route names it, whatever the server says first.
  }

  /** Applies every destination whose parts are all there, then drops clusters that nothing names any more. */
  #advance(): void {
    for (const [name, destination] of this.#destinations) this.#advanceOne(name, destination)
    this.#collect()
  }

  #advanceOne(name: string, destination: Destination): void {
    const routes = routesOf(destination, this.#routes)
    const tcp = tcpOf(destination)
    if (routes === undefined) return
    if (routes === destination.applied && tcp === destination.appliedTcp) return
    const clusters = clustersOf(routes, tcp)
    for (const cluster of clusters) this.#options.subscriptions.subscribe('cluster', cluster)
    const now = this.#options.clock.monotonicMs()
    if (!this.#endpoints.areWarm(clusters, this.#clusters)) {
      if (destination.warmUntilMs === Number.POSITIVE_INFINITY) {
        destination.warmUntilMs = now + warmingTimeoutMs
        this.#options.clock.after(warmingTimeoutMs, () => this.#advance())
      }
      if (now < destination.warmUntilMs) return
    }
    destination.warmUntilMs = Number.POSITIVE_INFINITY
    if (tcp !== destination.appliedTcp) this.#options.sink.setTcpRoute(name, tcp, apexOf(name, destination))
    if (routes !== destination.applied)
      this.#options.sink.setRoutes(name, routes.hosts, apexOf(name, destination))
    destination.appliedTcp = tcp
    destination.applied = routes
    this.#settle(name, destination, 'known')
  }

  #settle(name: string, destination: Destination, outcome: 'known' | 'unknown'): void {
    destination.state = outcome
    if (outcome === 'known') this.#unproven.delete(name)
    else this.#unproven.used(name)
    for (const resolve of destination.waiting.splice(0)) resolve(outcome)
  }

  #collect(): void {
    const used = new Set<string>()
    const routeNames = new Set<string>()
    for (const destination of this.#destinations.values()) {
      const { listener, applied, appliedTcp } = destination
      if (listener === undefined && applied === undefined && appliedTcp === undefined) continue
      const next = clustersOf(routesOf(destination, this.#routes), tcpOf(destination))
      for (const name of [...clustersOf(applied, appliedTcp), ...next]) used.add(name)
      routeNames.add(rdsOf(destination) ?? '')
    }
    for (const [name, cluster] of this.#clusters) if (!used.has(name)) this.#dropCluster(name, cluster)
    for (const name of this.#routes.keys())
      if (!routeNames.has(name)) this.#drop('routeConfiguration', name, this.#routes)
  }

  #dropCluster(name: string, cluster: DecodedCluster): void {
    this.#drop('cluster', name, this.#clusters)
    if ('eds' in cluster.endpoints)
      this.#drop('clusterLoadAssignment', cluster.endpoints.eds, this.#endpoints)
    this.#endpoints.forget(name)
    this.#options.sink.removeCluster(name)
  }

  #drop(kind: ResourceKind, name: string, from: { delete(name: string): unknown }): void {
    from.delete(name)
    this.#raw.delete(`${kind} ${name}`)
    this.#options.subscriptions.unsubscribe(kind, name)
  }

  /** Drops names that nobody has used for a while; never while the control plane could not give them back. */
  #scheduleSweep(): void {
    this.#options.clock.after(sweepEveryMs, () => {
      const oldestMs = this.#options.clock.monotonicMs() - idleMs
      for (const [name, destination] of this.#destinations) {
        if (!this.#options.connected() || destination.usedMs > oldestMs) continue
        this.#forget(name)
      }
      this.#collect()
      this.#scheduleSweep()
    })
  }

  #forget(name: string): void {
    for (const resolve of this.#destinations.get(name)?.waiting.splice(0) ?? []) resolve('unavailable')
    this.#drop('listener', name, this.#destinations)
    this.#unproven.delete(name)
    this.#options.sink.removeRoutes(name)
  }
}
