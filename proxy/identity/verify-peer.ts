/** Who is at the other end of a mesh TLS connection. OpenSSL checked the chain; here the name is checked. */
import type { Buffer } from 'node:buffer'
import { hash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import {
  checkTime,
  readWorkloadCertificate,
  type WorkloadCertificate,
} from '../../api/workload-certificate.ts'
import type { Clock } from '../../core/clock.ts'
import { WeftError, toWeftError } from '../../core/errors.ts'
import { tlsFailure } from './tls-failure.ts'

/** The name in a certificate of the mesh, until when it counts, and its SHA-256 in hex. */
export type VerifiedPeer = {
  readonly principal: string
  readonly notAfterMs: number
  readonly fingerprint: string
}

export type PeerRole = 'client' | 'server'

/** Says who a peer is, or throws WeftError. OpenSSL has checked the chain before. */
export interface PeerCheck {
  verifyPeer(
    socket: TLSSocket,
    options: { readonly role: PeerRole; readonly expectedIdentity?: string | undefined },
  ): VerifiedPeer
}

type Verdict = (WorkloadCertificate & { readonly fingerprint: string }) | WeftError

/** Far more peers than one sidecar talks to; what is beyond is read anew. */
const LARGEST_CACHE = 4096

/** Checks peers of one trust domain, reading each certificate once however many connections bring it. */
export class PeerVerifier implements PeerCheck {
  readonly #trustDomain: string
  readonly #clock: Clock
  readonly #verdicts = new Map<string, Verdict>()

  constructor(options: { readonly trustDomain: string; readonly clock: Clock }) {
    this.#trustDomain = options.trustDomain
    this.#clock = options.clock
  }

  /**
   * The peer's principal. Throws PEER_CERTIFICATE_MISSING, PEER_CERTIFICATE_UNTRUSTED, PEER_IDENTITY_INVALID,
   * PEER_TRUST_DOMAIN_MISMATCH, PEER_USAGE_REFUSED, PEER_IDENTITY_MISMATCH, CERTIFICATE_EXPIRED or
   * CERTIFICATE_NOT_YET_VALID. Looks at the time too, as OpenSSL does not when a session is resumed.
   */
  verifyPeer(
    socket: TLSSocket,
    options: { readonly role: PeerRole; readonly expectedIdentity?: string | undefined },
  ): VerifiedPeer {
    if (!socket.authorized) {
      throw tlsFailure(
        new Error('the certificate is not authorized'),
        socket.authorizationError,
        addressOf(socket),
      )
    }
    const certificate = socket.getPeerX509Certificate()
    if (certificate === undefined) throw new WeftError('PEER_CERTIFICATE_MISSING', addressOf(socket))
    const verdict = this.#verdictOn(certificate.raw)
    if (verdict instanceof WeftError)
      throw new WeftError(verdict.code, `${addressOf(socket)}: ${verdict.message}`)
    const { facts, principal, fingerprint } = verdict
    checkTime(verdict, this.#clock.wallMs())
    if (!(options.role === 'server' ? facts.serverAuth : facts.clientAuth)) {
      throw new WeftError(
        'PEER_USAGE_REFUSED',
        `the certificate of ${principal} is not for a ${options.role}`,
      )
    }
    if (options.expectedIdentity !== undefined && options.expectedIdentity !== principal) {
      const expected = `expected ${options.expectedIdentity}`
      throw new WeftError('PEER_IDENTITY_MISMATCH', `${addressOf(socket)} is ${principal}, ${expected}`)
    }
    return { principal, notAfterMs: facts.notAfterMs, fingerprint }
  }

  #verdictOn(der: Buffer): Verdict {
    const key = hash('sha256', der, 'hex')
    const known = this.#verdicts.get(key)
    if (known !== undefined) return known
    const verdict = this.#judge(der, key)
    if (this.#verdicts.size >= LARGEST_CACHE) this.#verdicts.clear()
    this.#verdicts.set(key, verdict)
    return verdict
  }

  #judge(der: Buffer, fingerprint: string): Verdict {
    try {
      return { ...readWorkloadCertificate(der, this.#trustDomain), fingerprint }
    } catch (error) {
      return toWeftError(error)
    }
  }
}

function addressOf(socket: TLSSocket): string {
  return socket.remoteAddress === undefined ? 'peer' : `${socket.remoteAddress}:${socket.remotePort}`
}
