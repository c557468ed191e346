/**
 * The data path as one piece: both sides, the clusters behind them, and the calls that configure them. It knows nothing
 * of xDS, Kubernetes or certificates; those are given to it.
 */
import type { Timer } from '../core/clock.ts'
import { WeftError } from '../core/errors.ts'
import type { StaticListenerConfig } from './bootstrap/decode-static-listener.ts'
import type { ClusterConfig, EndpointConfig, InboundConfig } from './cluster/cluster-config.ts'
import { ClusterSet } from './cluster/cluster-set.ts'
import type { ClusterParts } from './cluster/cluster.ts'
import type { ConfigSink, Discovery } from './config-sink.ts'
import type { DataPathOptions } from './data-path-options.ts'
import { Dialler } from './dialler.ts'
import type { DnsHosts } from './dns/dns-endpoints.ts'
import { Egress } from './egress.ts'
import { Inbound, type MeshAccept } from './inbound.ts'
import { inboundLabels, inboundLoad, listenerLabels } from './inbound-labels.ts'
import { ConnectionLimit } from './listen/connection-limit.ts'
import { Connections } from './listen/connections.ts'
import { OutboundListener } from './outbound-listener.ts'
import { OutboundTcp } from './outbound-tcp.ts'
import { makeEndpoints } from './make-endpoints.ts'
import { Outbound } from './outbound.ts'
import { Admission } from './overload/admission.ts'
import type { VirtualHostRules } from './route/route-rule.ts'
import type { TcpRoute } from './route/tcp-route.ts'
import { makeServeStats, type ServeParts, type ServeStats } from './serve.ts'
import { StaticListener } from './static-listener.ts'
import { type TcpUpstream, watchTunnel } from './tcp-forward.ts'
import { localStatsOf } from './local-stats.ts'
import { GoldenStatsTable } from './telemetry/golden-stats.ts'
import { type AccessCounts, makeAccessCounts } from './telemetry/access-stats.ts'
import { MirrorStatsTable } from './telemetry/mirror-stats.ts'
import { RouteStatsTable } from './telemetry/route-stats.ts'
import { TcpStatsTable } from './telemetry/tcp-stats.ts'

const sweepEveryMs = 1_000

export class DataPath implements ConfigSink {
  readonly golden: GoldenStatsTable
  readonly routes: RouteStatsTable
  readonly tcp: TcpStatsTable
  readonly accessCounts: AccessCounts
  readonly clusters: ClusterSet
  readonly egress: Egress
  readonly connectionLimit: ConnectionLimit
  readonly admission = new Admission()
  readonly mirrorStats = new MirrorStatsTable()
  readonly rateLimitCounts = { limited: 0 }
  readonly faultCounts = { delays: 0, aborts: 0 }
  readonly serveStats = { inbound: makeServeStats(), outbound: makeServeStats() }
  readonly #options: DataPathOptions
  readonly #connections: Connections
  readonly #dialler: Dialler
  readonly #outbound: Outbound
  readonly #outboundTcp: OutboundTcp
  readonly #outboundListener: OutboundListener | undefined
  readonly #inbound: Inbound
  readonly #static: StaticListener[] = []
  #sweepTimer: Timer | undefined

  constructor(options: DataPathOptions, discovery: Discovery) {
    const { clock } = options
    this.#options = options
    this.golden = new GoldenStatsTable(clock.monotonicMs)
    this.routes = new RouteStatsTable(clock.monotonicMs)
    this.tcp = new TcpStatsTable(clock.monotonicMs)
    this.accessCounts = makeAccessCounts(clock.monotonicMs)
    const isOwnAddress = (host: string, port: number): boolean =>
      port === this.outboundPort && (host.startsWith('127.') || host === '::1')
    this.#dialler = new Dialler({
      clock,
      dialMesh: options.dialMesh,
      stats: this.tcp,
      isOwnAddress,
      sources: new Map(options.application.map(({ host, from }) => [host, from])),
    })
    this.connectionLimit = new ConnectionLimit(options.maxConnections)
    this.#connections = new Connections(clock)
    this.clusters = new ClusterSet(this.#clusterParts('outbound'), options.zone)
    this.egress = new Egress(options, {
      clusters: this.clusters,
      clusterParts: this.#clusterParts('outbound'),
      isOwnAddress,
    })
    this.#outboundTcp = new OutboundTcp({
      clock,
      clusters: this.clusters,
      discovery,
      policy: options.outboundPolicy,
      passthrough: this.egress.passthrough,
      dial: (cluster, apex) => this.#dialler.dialTcp(cluster, apex),
    })
    const serve = this.#serveParts(this.serveStats.outbound)
    this.#outbound = this.#makeOutbound(discovery, serve)
    this.#outboundListener =
      options.outboundAddress === undefined ? undefined : this.#makeOutboundListener(serve)
    this.#inbound = new Inbound({
      ...options,
      connections: this.#connections,
      connectionLimit: this.connectionLimit,
      admission: this.admission,
      serve: this.#serveParts(this.serveStats.inbound),
      clusterParts: this.#clusterParts('inbound'),
      redirectAddress: options.inboundAddress,
      isOwnPort: (port) => port === this.outboundPort || port === options.adminPort,
      rateLimitCounts: this.rateLimitCounts,
      accessCounts: this.accessCounts,
      statsFor: (client) => this.golden.for(inboundLabels(client), inboundLoad(client)),
      tcpStatsFor: (client) => this.tcp.for({ ...inboundLabels(client), peer: 'dst' }, inboundLoad(client)),
    })
  }

  /** Requests to unknown destinations that were refused; read at scrape. */
  get denied(): number {
    return this.#outbound.denied
  }

  /** The port that the outbound side listens on, once started. */
  outboundPort = 0

  get openConnections(): number {
    return this.#connections.size
  }

  get destinations(): readonly string[] {
    return this.#outbound.destinations
  }

  get retries(): Outbound['retries'] {
    return this.#outbound.retries
  }

  get inboundPorts(): Inbound['ports'] {
    return this.#inbound.ports
  }

  /** Opens the outbound listener; inbound ports open as they are configured. Rejects with PORT_IN_USE and the like. */
  async start(): Promise<void> {
    const { outboundAddress } = this.#options
    if (outboundAddress !== undefined && this.#outboundListener !== undefined)
      this.outboundPort = await this.#outboundListener.listen(outboundAddress.host, outboundAddress.port)
    this.#sweepTimer = this.#options.clock.deadline(sweepEveryMs, this.#sweep)
  }

  /** Opens a listener of a bootstrap file; its clusters must be set. Resolves with its port. Rejects with PORT_IN_USE and the like. */
  async openStatic(config: StaticListenerConfig, acceptTls: MeshAccept | undefined): Promise<number> {
    const { onRefused, onListenerError } = this.#options
    const { serve, direction, name } = config
    const listener = new StaticListener(config, {
      connectionLimit: this.connectionLimit,
      acceptTls,
      onRefused,
      onListenerError,
      serve: this.#serveParts(this.serveStats[direction]),
      handler: serve.kind === 'http' ? this.#outbound.handlerOf(name, serve.hosts) : undefined,
      dial: () => this.#dialNamed(serve.kind === 'tcp' ? serve.cluster : ''),
      statsFor: (principal) =>
        direction === 'inbound' ? this.golden.for(listenerLabels(name, principal)) : undefined,
    })
    const port = await listener.listen()
    this.#static.push(listener)
    return port
  }

  /** Accepts no more, lets what is in flight finish; `destroy` cuts what is left at a deadline. */
  async drain(): Promise<void> {
    void this.#outboundListener?.close()
    for (const listener of this.#static) void listener.close()
    await this.#inbound.close()
    await this.#connections.drain()
    this.#sweepTimer?.cancel()
    this.egress.close()
    for (const cluster of this.clusters.all()) cluster.drain()
  }

  destroy(): void {
    this.#sweepTimer?.cancel()
    this.#connections.destroyAll()
    this.egress.close()
    for (const cluster of this.clusters.all()) cluster.drain()
  }

  setCluster(config: ClusterConfig): void {
    this.clusters.set(config)
  }

  setEndpoints(cluster: string, endpoints: readonly EndpointConfig[]): void {
    this.egress.forget(cluster)
    this.clusters.setEndpoints(cluster, endpoints)
  }

  resolveEndpoints(cluster: string, dns: DnsHosts, onAsked: () => void): void {
    this.egress.resolve(cluster, dns, onAsked)
  }

  removeCluster(name: string): void {
    this.egress.forget(name)
    this.clusters.remove(name)
  }

  setRoutes(destination: string, hosts: readonly VirtualHostRules[], apex?: string): void {
    this.#outbound.setRoutes(destination, hosts, apex)
  }

  setTcpRoute(destination: string, route: TcpRoute | undefined, apex?: string): void {
    this.#outboundTcp.set(destination, route, apex)
  }

  setUnknown(destination: string): void {
    this.#outboundTcp.setUnknown(destination)
    this.#outbound.setUnknown(destination)
  }

  removeRoutes(destination: string): void {
    this.#outboundTcp.remove(destination)
    this.#outbound.remove(destination)
  }

  setInbound(config: InboundConfig): void {
    this.clusters.tellZone(config.zone)
    void this.#inbound.apply(config)
  }

  /** Connects to an endpoint as an exchange would, and closes at once. Rejects with UpstreamFailure. */
  async tryEndpoint(config: EndpointConfig, cluster: ClusterConfig): Promise<void> {
    const wire = await this.#dialler.dial(config, cluster, 'weft-h1')
    wire.destroy()
  }

  #makeOutbound(discovery: Discovery, serve: ServeParts): Outbound {
    const { clock, namespace, observers, onUnexpected, outboundPolicy: policy } = this.#options
    return new Outbound({
      clock,
      tcp: this.#outboundTcp,
      onTunnel: (x, upstream) => watchTunnel(x, upstream, serve),
      admission: this.admission,
      clusters: this.clusters,
      mirrorStats: this.mirrorStats,
      faultCounts: this.faultCounts,
      rateLimitCounts: this.rateLimitCounts,
      routeStats: this.routes,
      namespace,
      discovery,
      policy,
      passthrough: this.egress.passthrough,
      localStats: localStatsOf(this.golden),
      onUnexpected,
      observers,
    })
  }

  #makeOutboundListener(serve: ServeParts): OutboundListener {
    const { clock, originalDestination, detectTimeoutMs, onListenerError } = this.#options
    return new OutboundListener({
      clock,
      connections: this.#connections,
      connectionLimit: this.connectionLimit,
      serve,
      handler: this.#outbound.handler,
      connect: this.#outbound.connect,
      tcp: this.#outboundTcp,
      originalDestination,
      detectTimeoutMs,
      onListenerError,
    })
  }

  #serveParts(stats: ServeStats): ServeParts {
    const { clock, clientTimeouts, onViolation, onTcpEnd, onRefused } = this.#options
    return {
      admission: this.admission,
      clock,
      connections: this.#connections,
      stats,
      timeouts: clientTimeouts,
      onViolation,
      onTcpEnd,
      onTcpRefused: (error, { peer }) => onRefused(error, peer),
    }
  }

  async #dialNamed(name: string): Promise<TcpUpstream> {
    const cluster = this.clusters.get(name)
    if (cluster === undefined) throw new WeftError('NO_ENDPOINTS', `there is no cluster ${name}`)
    return this.#dialler.dialTcp(cluster)
  }

  #clusterParts(direction: 'inbound' | 'outbound'): ClusterParts {
    const { clock } = this.#options
    return {
      clock,
      makeEndpoint: makeEndpoints(direction, { clock, dialler: this.#dialler, golden: this.golden }),
    }
  }

  readonly #sweep = (): void => {
    this.clusters.sweep()
    this.egress.passthrough.sweep()
    this.#inbound.sweep()
    this.#sweepTimer = this.#options.clock.deadline(sweepEveryMs, this.#sweep)
  }
}
