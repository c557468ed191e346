/** Passes bytes on to the application: what is not HTTP, and what has come over mesh TLS as opaque. */
import { Buffer } from 'node:buffer'
import { formatAddress } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import { addressesOf, type ApplicationAddresses } from './application-addresses.ts'
import { applicationConnectTimeoutMs } from './application-cluster.ts'
import type { Peer } from './authz/peer.ts'
import type { InboundPort } from './cluster/cluster-config.ts'
import type { EarlyUpstream } from './early-upstream.ts'
import type { ClientFacts } from './inbound-labels.ts'
import type { Wire } from './listen/wire.ts'
import { dialInTurn, dialPlain } from './pool/dial.ts'
import type { PortAccess } from './port-access.ts'
import type { ServeParts } from './serve.ts'
import { forwardTcp, type TcpUpstream } from './tcp-forward.ts'
import type { TcpStats } from './telemetry/tcp-stats.ts'

export type InboundTcpParts = {
  readonly clock: Clock
  readonly serve: ServeParts
  /** Of redirected ports. */
  readonly application: ApplicationAddresses
  readonly tcpStatsFor: (facts: ClientFacts) => TcpStats
}

/** A port as it is configured, and who may reach it. */
export type OpenPort = { readonly config: InboundPort; readonly access: PortAccess }

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
    address: string,
    port: OpenPort,
    early: EarlyUpstream | undefined,
  ): void {
    const peer = { address, principal: undefined }
    this.#forward(client, bytes, peer, port, () => {
      if (early === undefined || early.gone) return this.dial(port.config, undefined)
      return early.take()
    })
    // Not taken: the client may not pass.
    early?.drop()
  }

  forwardMesh(client: Wire, address: string, principal: string, port: OpenPort): void {
    const dial = (): Promise<TcpUpstream> => this.dial(port.config, principal)
    this.#forward(client, noBytes, { address, principal }, port, dial)
  }

  /** A connection to the application. Rejects with UpstreamFailure. */
  async dial(config: InboundPort, principal: string | undefined): Promise<TcpUpstream> {
    const { clock, tcpStatsFor } = this.#parts
    const { applicationPort: port } = config
    const addresses = addressesOf(config, this.#parts.application)
    let asked = addresses[0].host
    const wire = await dialInTurn(addresses, ({ host, from }) => {
      asked = host
      return dialPlain(host, port, applicationConnectTimeoutMs, clock, from)
    })
    return {
      wire,
      early: noBytes,
      stats: tcpStatsFor({ meshTls: principal !== undefined, principal, port }),
      cluster: `inbound:${port}`,
      address: formatAddress({ host: asked, port }),
      release: () => undefined,
    }
  }

  #forward(
    client: Wire,
    bytes: Buffer,
    from: Peer,
    { config, access }: OpenPort,
    dial: () => Promise<TcpUpstream>,
  ): void {
    const { address: peer, principal } = from
    const [{ host }] = addressesOf(config, this.#parts.application)
    const destination = formatAddress({ host, port: config.applicationPort })
    const { rules, denial } = access.decideConnection(from)
    const facts = { direction: 'inbound', destination, peer, principal, ...rules } as const
    const dialling = denial === undefined ? dial() : Promise.reject(denial)
    void forwardTcp(client, bytes, dialling, facts, this.#parts.serve)
  }
}
