/**
 * Whose certificates the clients of the gRPC port have shown, if any. OpenSSL verifies the chain against the mesh's roots
 * when a connection is made; name and use are judged here, once, and whether it still counts at each call.
 */
import type { TLSSocket } from 'node:tls'
import type { Server } from '@grpc/grpc-js'
import {
  checkTime,
  readWorkloadCertificate,
  type WorkloadCertificate,
} from '../../api/workload-certificate.ts'
import type { Clock } from '../../core/clock.ts'
import { toWeftError, WeftError } from '../../core/errors.ts'
import { http2ServersOf } from '../http2-servers.ts'
import type { WorkloadIdentity } from './authenticator.ts'

type Shown = {
  readonly certificate: WorkloadCertificate | WeftError
  /** The version of the roots that it was verified against. */
  readonly bundle: string
}

export type ClientCertificatesOptions = {
  readonly trustDomain: string
  readonly clock: Clock
  /** The version of the roots in force. */
  readonly bundle: () => string
}

export class ClientCertificates {
  readonly #options: ClientCertificatesOptions
  /** By `address:port` of the peer. */
  readonly #shown = new Map<string, Shown>()

  constructor(options: ClientCertificatesOptions) {
    this.#options = options
  }

  /** Connections that are open and have shown one. */
  get size(): number {
    return this.#shown.size
  }

  /** Looks at the certificates of whoever connects to `server`, which must be bound and ask for them. */
  watch(server: Server): void {
    for (const http2Server of http2ServersOf(server))
      http2Server.prependListener('secureConnection', (socket) => this.#add(socket))
  }

  /**
   * Who the peer (`address:port`) is by its certificate; undefined without one. Throws PEER_CERTIFICATE_UNTRUSTED,
   * PEER_IDENTITY_INVALID, PEER_TRUST_DOMAIN_MISMATCH, PEER_USAGE_REFUSED, or CERTIFICATE_... by its time.
   */
  identityOf(peer: string): WorkloadIdentity | undefined {
    const shown = this.#shown.get(peer)
    if (shown === undefined) return undefined
    const { certificate, bundle } = shown
    if (certificate instanceof WeftError) throw certificate
    if (bundle !== this.#options.bundle())
      throw new WeftError('PEER_CERTIFICATE_UNTRUSTED', 'it was shown before the roots of the mesh changed')
    checkTime(certificate, this.#options.clock.wallMs())
    const { namespace, serviceAccount } = certificate.id
    return { namespace, serviceAccount }
  }

  #add(socket: TLSSocket): void {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`
    const certificate = this.#judge(socket)
    // Whoever had this address before is gone, though its socket may not have told us yet.
    this.#shown.delete(peer)
    if (certificate === undefined) return
    const shown = { certificate, bundle: this.#options.bundle() }
    this.#shown.set(peer, shown)
    socket.once('close', () => {
      if (this.#shown.get(peer) === shown) this.#shown.delete(peer)
    })
  }

  #judge(socket: TLSSocket): WorkloadCertificate | WeftError | undefined {
    const shown = socket.getPeerX509Certificate()
    if (shown === undefined) return undefined
    if (!socket.authorized)
      return new WeftError('PEER_CERTIFICATE_UNTRUSTED', `${socket.authorizationError as unknown as string}`)
    try {
      const certificate = readWorkloadCertificate(shown.raw, this.#options.trustDomain)
      if (certificate.facts.clientAuth) return certificate
      return new WeftError(
        'PEER_USAGE_REFUSED',
        `the certificate of ${certificate.principal} is for no client`,
      )
    } catch (error) {
      return toWeftError(error)
    }
  }
}
