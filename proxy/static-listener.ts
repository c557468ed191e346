/** A listener of a bootstrap file: HTTP by its own routes, or bytes to a cluster, behind TLS or not. */
import { Buffer } from 'node:buffer'
import type { WeftError } from '../core/errors.ts'
import type { StaticListenerConfig } from './bootstrap/decode-static-listener.ts'
import type { Downstream, Handler } from './exchange.ts'
import type { MeshAccept } from './inbound.ts'
import type { ConnectionLimit } from './listen/connection-limit.ts'
import { type Accepted, Listener } from './listen/listener.ts'
import { Wire } from './listen/wire.ts'
import { serveHttp1, type ServeParts } from './serve.ts'
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
      this.#serve(accepted.wire, accepted, undefined)
      return
    }
    acceptTls(
      accepted.wire.release(none),
      (tls, principal) => this.#serve(Wire.over(tls), accepted, principal),
      (error) => onRefused(error, accepted.peerAddress),
    )
  }

  #serve(wire: Wire, accepted: Accepted, principal: string | undefined): void {
    const { handler, serve } = this.#parts
    if (handler === undefined) this.#forward(wire, accepted, principal)
    else serveHttp1(wire, this.#downstream(accepted, principal), handler, undefined, serve)
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
