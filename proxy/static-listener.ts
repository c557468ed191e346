/** A listener of a bootstrap file: HTTP by its own routes, or bytes to a cluster, behind TLS or not. */
import { Buffer } from 'node:buffer'
import type { WeftError } from '../core/errors.ts'
import type { StaticListenerConfig } from './bootstrap/decode-static-listener.ts'
import type { Downstream, Handler } from './exchange.ts'
import type { MeshAccept } from './inbound.ts'
import type { ConnectionLimit } from './listen/connection-limit.ts'
import { type Accepted, Listener } from './listen/listener.ts'
import { PrefaceReader } from './listen/preface-reader.ts'
import { Wire } from './listen/wire.ts'
import { serveHttp1, serveHttp2, type ServeParts } from './serve.ts'
import { forwardTcp, type TcpUpstream } from './tcp-forward.ts'
import type { GoldenStats } from './telemetry/golden-stats.ts'

export type StaticListenerParts = {
  readonly connectionLimit: ConnectionLimit
  readonly serve: ServeParts
  /** Set when the listener speaks TLS. */
  readonly acceptTls: MeshAccept | undefined
  /** Set when it speaks HTTP. */
  readonly handler: Handler | undefined
  /** Opens a connection to an endpoint of the cluster that bytes go to. Rejects with WeftError or UpstreamFailure. */
  readonly dial: () => Promise<TcpUpstream>
  readonly statsFor: (principal: string | undefined) => GoldenStats | undefined
  readonly onRefused: (error: WeftError, peer: string) => void
  readonly onListenerError: (error: Error) => void
}

const none = Buffer.alloc(0)

export class StaticListener {
  readonly #config: StaticListenerConfig
  readonly #parts: StaticListenerParts
  readonly #listener: Listener

  constructor(config: StaticListenerConfig, parts: StaticListenerParts) {
    this.#config = config
    this.#parts = parts
    this.#listener = new Listener(
      parts.connectionLimit,
      parts.serve.stats,
      (accepted) => this.#accept(accepted),
      parts.onListenerError,
    )
  }

  /** Resolves with the port. Rejects with PORT_IN_USE and the like. */
  listen(): Promise<number> {
    const { host, port } = this.#config.address
    return this.#listener.listen(host, port)
  }

  close(): Promise<void> {
    return this.#listener.close()
  }

  #accept(accepted: Accepted): void {
    const { acceptTls, onRefused } = this.#parts
    if (acceptTls === undefined) {
      this.#serve(accepted.wire, accepted, undefined, '')
      return
    }
    acceptTls(
      accepted.wire.release(none),
      (tls, principal, alpn) => this.#serve(Wire.over(tls), accepted, principal, alpn),
      (error) => onRefused(error, accepted.peerAddress),
    )
  }

  #serve(wire: Wire, accepted: Accepted, principal: string | undefined, alpn: string): void {
    const { handler, serve } = this.#parts
    if (handler === undefined) {
      this.#forward(wire, accepted, principal)
      return
    }
    const downstream = this.#downstream(accepted, principal)
    const protocol = this.#protocolBy(alpn)
    if (protocol === 'http2') serveHttp2(wire, downstream, handler, undefined, serve)
    else if (protocol === 'http1') serveHttp1(wire, downstream, handler, undefined, serve)
    else this.#detect(wire, downstream, handler)
  }

  /** undefined: the first bytes will tell. */
  #protocolBy(alpn: string): 'http1' | 'http2' | undefined {
    const { serve } = this.#config
    if (serve.kind === 'http' && serve.codec !== 'auto') return serve.codec
    if (alpn === 'h2' || alpn === 'weft-h2') return 'http2'
    return alpn === '' ? undefined : 'http1'
  }

  #detect(wire: Wire, downstream: Downstream, handler: Handler): void {
    const { serve } = this.#parts
    const { clock, connections, timeouts } = serve
    const reader = new PrefaceReader(
      wire,
      clock.monotonicMs() + timeouts.headMs,
      (protocol, bytes) => {
        connections.remove(reader)
        const first = { bytes, firstByteMs: clock.monotonicMs() }
        if (protocol === 'http2') serveHttp2(wire, downstream, handler, first, serve)
        else serveHttp1(wire, downstream, handler, first, serve)
      },
      () => connections.remove(reader),
    )
    connections.add(reader)
    wire.readInto(reader)
  }

  #downstream({ peerAddress, peerPort }: Accepted, principal: string | undefined): Downstream {
    return {
      direction: this.#config.direction,
      peerAddress,
      peerPort,
      meshTls: principal !== undefined,
      principal: principal === '' ? undefined : principal,
      originalDestination: undefined,
      applicationPort: 0,
      stats: this.#parts.statsFor(principal),
      identity: undefined,
      access: undefined,
    }
  }

  #forward(client: Wire, { peerAddress: peer }: Accepted, principal: string | undefined): void {
    const { direction, name: destination } = this.#config
    const facts = { direction, peer, principal: principal === '' ? undefined : principal, destination }
    void forwardTcp(client, none, this.#parts.dial(), facts, this.#parts.serve)
  }
}
