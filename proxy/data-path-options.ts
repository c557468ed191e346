/** What the data path is given by those who put it together. */
import type { Address } from '../core/address.ts'
import type { WeftError } from '../core/errors.ts'
import type { ApplicationAddresses } from './application-addresses.ts'
import type { EgressOptions } from './egress.ts'
import type { Downstream } from './exchange.ts'
import type { WireError } from './http1/wire-error.ts'
import type { MeshAccept } from './inbound.ts'
import type { Layer } from './layer.ts'
import type { MeshDial } from './pool/dial.ts'
import type { ClientTimeouts } from './serve.ts'
import type { TcpRecord } from './telemetry/access-records.ts'

export type DataPathOptions = EgressOptions & {
  readonly namespace: string
  /** Our own SPIFFE id; undefined without a mesh. */
  readonly ownPrincipal: string | undefined
  readonly outboundAddress: Address | undefined
  readonly outboundPolicy: 'allow' | 'deny'
  /** Set in redirected mode. */
  readonly inboundAddress: Address | undefined
  readonly originalDestination: ((fd: number) => string | undefined) | undefined
  /** Where the application is, for ports that do not say. */
  readonly application: ApplicationAddresses
  /** Of the admin server. */
  readonly adminPort: number
  readonly detectTimeoutMs: number
  readonly clientTimeouts: ClientTimeouts
  /** Client connections of both sides together. */
  readonly maxConnections: number
  /** Where this sidecar is; empty: as the mesh says. */
  readonly zone: string
  readonly dialMesh: MeshDial
  readonly acceptMesh: MeshAccept
  /** Trace and access log, outermost first. */
  readonly observers: readonly Layer[]
  /** The access log of connections. */
  readonly onTcpEnd?: (record: TcpRecord) => void
  readonly onUnexpected: (error: unknown) => void
  readonly onRefused: (error: WeftError, peer: string) => void
  readonly onViolation: (error: WireError, downstream: Downstream, began: boolean) => void
  readonly onListenerError: (error: Error) => void
  readonly onInboundProblem: (problem: WeftError | undefined) => void
}
