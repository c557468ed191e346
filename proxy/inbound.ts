/** The inbound side: what others send to this workload's application. */
import type { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { defaultOpaquePorts } from '../api/opaque-ports.ts'
import type { Timer } from '../core/clock.ts'
import { toWeftError, type WeftError } from '../core/errors.ts'
import { includesPort } from '../core/port-ranges.ts'
import type { InboundConfig, InboundPort } from './cluster/cluster-config.ts'
import { loopBy } from './application-addresses.ts'
import { applicationCluster, applicationEndpoint, isSameApplication } from './application-cluster.ts'
import { AccessByPort } from './access-by-port.ts'
import { Cluster, type ClusterParts } from './cluster/cluster.ts'
import { EarlyUpstream } from './early-upstream.ts'
import type { Downstream, Exchange, Handler } from './exchange.ts'
import type { ClientFacts } from './inbound-labels.ts'
import { InboundTcp, type InboundTcpParts } from './inbound-tcp.ts'
import { compose, type Layer } from './layer.ts'
import { balance } from './layers/balance.ts'
import { clientIdentity, identityFields } from './layers/client-identity.ts'
import { metrics } from './layers/metrics.ts'
import { rescue } from './layers/rescue.ts'
import { retry } from './layers/retry.ts'
import type { RateLimitCounts } from './layers/rate-limit.ts'
import { shed } from './layers/shed.ts'
import { callDeadline } from './layers/timeout.ts'
import type { ConnectionLimit } from './listen/connection-limit.ts'
import type { Connections } from './listen/connections.ts'
import { detect, type Detected, Detector, detectTls } from './listen/detect.ts'
import { type Accepted, Listener } from './listen/listener.ts'
import { Wire } from './listen/wire.ts'
import type { Admission } from './overload/admission.ts'
import type { PortAccess } from './port-access.ts'
import { RateLimits } from './rate-limits.ts'
import type { RateLimitPolicy } from './rate-limit/rate-limit-policy.ts'
import { DestinationRetries } from './retry/destination-retries.ts'
import { serveByAlpn, serveHttp1, serveHttp2 } from './serve.ts'
import type { AccessCounts } from './telemetry/access-stats.ts'
import type { GoldenStats } from './telemetry/golden-stats.ts'

/** Terminates mesh TLS on a socket whose ClientHello was put back; calls exactly one of the two. */
export type MeshAccept = (
  socket: Socket,
  onSecure: (tls: TLSSocket, principal: string, alpn: string, fingerprint: string) => void,
  onRefused: (error: WeftError) => void,
) => void

export type InboundParts = InboundTcpParts & {
  readonly connections: Connections
  readonly connectionLimit: ConnectionLimit
  readonly admission: Admission
  readonly clusterParts: ClusterParts
  readonly acceptMesh: MeshAccept
  readonly rateLimitCounts: RateLimitCounts
  readonly accessCounts: AccessCounts
  /** Our own SPIFFE id; undefined without a mesh. */
  readonly ownPrincipal: string | undefined
  /** undefined: nothing is redirected, ports are bound one by one. */
  readonly originalDestination: ((fd: number) => string | undefined) | undefined
  readonly redirectAddress: { readonly host: string; readonly port: number } | undefined
  /** A port of the sidecar itself: nobody outside may reach that, least of all by the name of the workload. */
  readonly isOwnPort: (port: number) => boolean
  readonly detectTimeoutMs: number
  readonly statsFor: (facts: ClientFacts) => GoldenStats
  readonly onUnexpected: (error: unknown) => void
  readonly onRefused: (error: WeftError, peer: string) => void
  readonly onListenerError: (error: Error) => void
  /** After every attempt to open what is configured: why some port is not open, or undefined when all are. */
  readonly onInboundProblem: (problem: WeftError | undefined) => void
  readonly observers: readonly Layer[]
}

/** Who a client has proven to be. */
export type MeshPeer = { readonly principal: string; readonly fingerprint: string }

/** A port in use is often that of a predecessor that drains. */
const openAgainMs = 1_000

type Port = {
  config: InboundPort
  readonly cluster: Cluster
  /** The same for all connections, also of those that are older than a limit. */
  readonly handler: Handler
  readonly limit: (policies: readonly RateLimitPolicy[]) => void
  readonly access: PortAccess
  listener: Listener | undefined
}

export class Inbound {
  readonly #parts: InboundParts
  readonly #tcp: InboundTcp
  readonly #ports = new Map<number, Port>()
  readonly #access: AccessByPort
  #redirected: Listener | undefined
  #opaquePorts = defaultOpaquePorts
  #applying: Promise<void> = Promise.resolve()
  #again: Timer | undefined
  #closed = false

  constructor(parts: InboundParts) {
    this.#parts = parts
    this.#tcp = new InboundTcp(parts)
    this.#access = new AccessByPort(parts.accessCounts)
  }

  get ports(): readonly InboundPort[] {
    return [...this.#ports.values()].map((port) => port.config)
  }

  /** Opens what is new, closes what is gone, keeps the rest; one call at a time. What cannot be opened is told, and tried again. */
  apply(config: InboundConfig): Promise<void> {
    this.#again?.cancel()
    this.#applying = this.#applying.then(() => this.#apply(config))
    return this.#applying
  }

  /** Accepts no more. */
  async close(): Promise<void> {
    this.#closed = true
    this.#again?.cancel()
    await this.#applying
    for (const port of this.#ports.values()) void port.listener?.close()
    void this.#redirected?.close()
  }

  sweep(): void {
    for (const { cluster } of this.#ports.values()) for (const endpoint of cluster.endpoints) endpoint.sweep()
  }

  async #apply(config: InboundConfig): Promise<void> {
    if (this.#closed) return
    // First: nothing is opened, and no connection goes on, by rules that are not in force any more.
    this.#access.set(config)
    this.#opaquePorts = config.opaquePorts ?? defaultOpaquePorts
    const wanted = new Map(config.ports.map((port) => [port.applicationPort, port]))
    for (const [number, port] of this.#ports) {
      const next = wanted.get(number) ?? this.#unnamed(number)
      if (isSameApplication(next, port.config)) {
        port.config = next
        port.limit(next.rateLimits ?? [])
        continue
      }
      void port.listener?.close()
      port.cluster.drain()
      this.#ports.delete(number)
    }
    const missing = [...wanted.values()].filter((port) => !this.#ports.has(port.applicationPort))
    const problems = await Promise.all([
      ...missing.map((port) => problemOf(this.#open(port))),
      problemOf(this.#openRedirected()),
    ])
    const problem = problems.find((entry) => entry !== undefined)
    const { clock, onInboundProblem } = this.#parts
    onInboundProblem(problem)
    if (problem !== undefined) this.#again = clock.after(openAgainMs, () => void this.apply(config))
  }

  async #open(config: InboundPort): Promise<void> {
    const port = this.#makePort(config)
    if (config.listen !== undefined) {
      const listener = this.#listener((accepted) => this.#accept(accepted, port))
      await listener.listen(config.listen.host, config.listen.port)
      port.listener = listener
    }
    this.#ports.set(config.applicationPort, port)
  }

  async #openRedirected(): Promise<void> {
    const { redirectAddress } = this.#parts
    if (redirectAddress === undefined || this.#redirected !== undefined) return
    const listener = this.#listener((accepted) => this.#acceptRedirected(accepted))
    await listener.listen(redirectAddress.host, redirectAddress.port)
    this.#redirected = listener
  }

  #listener(onAccept: (accepted: Accepted) => void): Listener {
    const { connectionLimit, serve, onListenerError } = this.#parts
    return new Listener(connectionLimit, serve.stats, onAccept, onListenerError)
  }

  #makePort(config: InboundPort): Port {
    const { admission, clock, clusterParts, observers, onUnexpected, statsFor } = this.#parts
    const access = this.#access.of(config.applicationPort)
    const cluster = new Cluster(applicationCluster(config), clusterParts)
    cluster.setEndpoints([applicationEndpoint(config, this.#parts.application)])
    const nowMs = clock.monotonicMs
    const unprepared = ({ downstream: { meshTls, principal } }: Exchange): GoldenStats =>
      statsFor({ meshTls, principal, port: config.applicationPort })
    const limits = new RateLimits(this.#parts.rateLimitCounts, nowMs)
    const handler = compose(
      // Sees the final status of everything, replies made below included.
      metrics(unprepared),
      ...observers,
      // Inside of what counts and logs, outside of all that can fail.
      rescue(onUnexpected),
      // Before any work is done that overload could be spared.
      shed(admission),
      callDeadline(clock),
      // Before anybody looks at what it says of the client.
      clientIdentity(),
      // Before anything is sent to the application.
      access.layer,
      // Last: what is refused for another reason takes nothing from what others may send.
      limits.layer,
      retry(new DestinationRetries(nowMs)),
    )(balance(() => cluster, nowMs))
    const limit = (policies: readonly RateLimitPolicy[]): void => limits.set(policies)
    limit(config.rateLimits ?? [])
    return { config, cluster, handler, limit, access, listener: undefined }
  }

  #acceptRedirected(accepted: Accepted): void {
    const { fd, wire, peerAddress } = accepted
    const original = this.#parts.originalDestination?.(fd)
    const number = original === undefined ? 0 : Number(original.slice(original.lastIndexOf(':') + 1))
    const known = this.#ports.get(number)
    const loop = loopBy(peerAddress, this.#parts.application)
    if (loop !== undefined) {
      this.#parts.onRefused(loop, peerAddress)
      wire.destroy()
    } else if (known !== undefined) {
      this.#accept(accepted, known)
    } else if (
      number === 0 ||
      number === this.#parts.redirectAddress?.port ||
      this.#parts.isOwnPort(number)
    ) {
      // Forwarding it would come back here, or let the client send by our outbound side, in our name.
      wire.destroy()
    } else {
      this.#accept(accepted, this.#portFor(number))
    }
  }

  /** A port that the control plane has not named: what the pod's rules redirect is a port of the pod. */
  #unnamed(number: number): InboundPort {
    return {
      listen: undefined,
      applicationHost: '127.0.0.1',
      applicationPort: number,
      protocol: includesPort(this.#opaquePorts, number) ? 'opaque' : 'detect',
    }
  }

  #portFor(number: number): Port {
    const port = this.#makePort(this.#unnamed(number))
    this.#ports.set(number, port)
    return port
  }

  #accept(accepted: Accepted, port: Port): void {
    const { clock, connections, detectTimeoutMs: timeoutMs, serve } = this.#parts
    const { stats, timeouts } = serve
    const { wire } = accepted
    const opaque = port.config.protocol === 'opaque'
    let early: EarlyUpstream | undefined
    const detector = new Detector(
      wire,
      // Of an opaque port only mesh TLS has to be told from the rest.
      { clock, timeoutMs, silentMs: timeouts.idleMs, stats, look: opaque ? detectTls : detect },
      {
        onDetected: (detected, bytes, firstByteMs) => {
          connections.remove(detector)
          this.#serve(detected, bytes, firstByteMs, accepted, port, early)
        },
        onGone: () => {
          connections.remove(detector)
          early?.drop()
        },
        onSilent: () => {
          // What speaks in clear is refused anyway, so it need not be found out.
          if (port.access.refusesClear) return false
          if (opaque) detector.giveUp()
          else early = new EarlyUpstream(this.#tcp.dial(port.config, undefined), () => detector.giveUp())
          return true
        },
      },
    )
    connections.add(detector)
    wire.readInto(detector)
  }

  #serve(
    detected: Detected,
    bytes: Buffer,
    firstByteMs: number,
    accepted: Accepted,
    port: Port,
    early: EarlyUpstream | undefined,
  ): void {
    const { wire } = accepted
    if (detected.kind === 'tls' && detected.hello.alpn.some((name) => name.startsWith('weft-'))) {
      early?.drop()
      wire.pause()
      this.#parts.acceptMesh(
        wire.release(bytes),
        (tls, principal, alpn, fingerprint) =>
          this.#serveMesh(tls, { principal, fingerprint }, alpn, accepted, port),
        (error) => this.#parts.onRefused(error, accepted.peerAddress),
      )
    } else if (detected.kind === 'http1' || detected.kind === 'http2') {
      early?.drop()
      const downstream = this.#downstream(accepted, port, undefined)
      const serve = detected.kind === 'http1' ? serveHttp1 : serveHttp2
      serve(wire, downstream, port.handler, { bytes, firstByteMs }, this.#parts.serve)
    } else {
      // The application's own TLS, anything else: the application's business, byte for byte.
      this.#tcp.forwardClear(wire, bytes, accepted.peerAddress, port, early)
    }
  }

  #serveMesh(tls: TLSSocket, peer: MeshPeer, alpn: string, accepted: Accepted, port: Port): void {
    const wire = Wire.over(tls)
    if (alpn === 'weft-tcp') {
      this.#tcp.forwardMesh(wire, accepted.peerAddress, peer.principal, port)
      return
    }
    serveByAlpn(alpn, wire, this.#downstream(accepted, port, peer), port.handler, this.#parts.serve)
  }

  #downstream(accepted: Accepted, port: Port, peer: MeshPeer | undefined): Downstream {
    const principal = peer?.principal
    const meshTls = principal !== undefined
    const { applicationPort } = port.config
    return {
      direction: 'inbound',
      peerAddress: accepted.peerAddress,
      peerPort: accepted.peerPort,
      meshTls,
      principal,
      originalDestination: undefined,
      applicationPort,
      stats: this.#parts.statsFor({ meshTls, principal, port: applicationPort }),
      identity: peer && identityFields(peer, this.#parts.ownPrincipal),
      access: undefined,
    }
  }
}

function problemOf(opened: Promise<void>): Promise<WeftError | undefined> {
  return opened.then(() => undefined, toWeftError)
}
