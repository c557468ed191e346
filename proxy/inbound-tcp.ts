/** Passes bytes on to the application: what is not HTTP, and what has come over mesh TLS as opaque. */
import { Buffer } from 'node:buffer'
import type { Clock } from '../core/clock.ts'
import { applicationConnectTimeoutMs } from './application-cluster.ts'
import type { InboundPort } from './cluster/cluster-config.ts'
import type { EarlyUpstream } from './early-upstream.ts'
import type { ClientFacts } from './inbound-labels.ts'
import type { Wire } from './listen/wire.ts'
import { dialPlain } from './pool/dial.ts'
import type { ServeParts } from './serve.ts'
import { forwardTcp, type TcpUpstream } from './tcp-forward.ts'
import type { TcpStats } from './telemetry/tcp-stats.ts'

export type InboundTcpParts = {
  readonly clock: Clock
  readonly serve: ServeParts
  readonly tcpStatsFor: (facts: ClientFacts) => TcpStats
}

const noBytes = Buffer.alloc(0)

export class InboundTcp {
  readonly #parts: InboundTcpParts

  constructor(parts: InboundTcpParts) {
    this.#parts = parts
  }

  /** Of a client in clear; `early` was dialled before it spoke. */
  forwardClear(
    client: Wire,
    bytes: Buffer,
    peer: string,
    port: InboundPort,
    early: EarlyUpstream | undefined,
  ): void {
    const dialling = early === undefined || early.gone ? this.dial(port, undefined) : early.take()
    this.#forward(client, bytes, { peer, principal: undefined }, port, dialling)
  }

  forwardMesh(client: Wire, peer: string, principal: string, port: InboundPort): void {
    this.#forward(client, noBytes, { peer, principal }, port, this.dial(port, principal))
  }

  /** A connection to the application. Rejects with UpstreamFailure. */
  async dial(
    { applicationHost: host, applicationPort: port }: InboundPort,
    principal: string | undefined,
  ): Promise<TcpUpstream> {
    const { clock, tcpStatsFor } = this.#parts
    return {
      wire: await dialPlain(host, port, applicationConnectTimeoutMs, clock),
      early: noBytes,
      stats: tcpStatsFor({ meshTls: principal !== undefined, principal, port }),
      cluster: `inbound:${port}`,
      address: `${host}:${port}`,
      release: () => undefined,
    }
  }

  #forward(
    client: Wire,
    bytes: Buffer,
    from: { readonly peer: string; readonly principal: string | undefined },
    { applicationHost, applicationPort }: InboundPort,
    dialling: Promise<TcpUpstream>,
  ): void {
    const destination = `${applicationHost}:${applicationPort}`
    const facts = { direction: 'inbound', destination, ...from } as const
    void forwardTcp(client, bytes, dialling, facts, this.#parts.serve)
  }
}
