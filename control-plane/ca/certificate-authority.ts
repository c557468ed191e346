/** Issues certificates: the name always comes from who was authenticated, never from what was asked for. */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import { WeftError } from '../../core/errors.ts'
import { readCertificateRequest } from './certificate-request.ts'
import type { Issuer } from './issuer.ts'
import { makeLeaf } from './leaf-certificate.ts'
import * as x509 from './x509.ts'

const DAY_MS = 86_400_000
/** Other machines' clocks may be a little behind ours. */
const BACKDATE_MS = 120_000
/** A certificate shorter than this would be renewed all the time. */
const SHORTEST_LIFETIME_MS = 30_000

export type IssuedCertificate = {
  /** Leaf first, root last, each in PEM. */
  readonly chainPem: readonly string[]
  readonly serial: string
  readonly notAfterMs: number
}

export class CertificateAuthority {
  readonly #issuer: () => Issuer
  readonly #clock: Clock
  readonly #lifetimeMs: number

  /** `issuer`: who signs now. `lifetimeMs` is what a leaf gets when it asks for nothing, and the most it gets. */
  constructor(options: {
    readonly issuer: () => Issuer
    readonly clock: Clock
    readonly lifetimeMs?: number
  }) {
    this.#issuer = options.issuer
    this.#clock = options.clock
    this.#lifetimeMs = options.lifetimeMs ?? DAY_MS
  }

  /**
   * A workload certificate with `spiffeId` as its only name, for the key that signed the request. The lifetime
   * asked for (0: the default) is cut to the maximum and to the issuer's own end. Throws CSR_REFUSED, CA_EXPIRED.
   */
  issue(csrPem: string, spiffeId: string, requestedLifetimeMs: number): IssuedCertificate {
    const spki = readCertificateRequest(csrPem)
    const asked = requestedLifetimeMs > 0 ? requestedLifetimeMs : this.#lifetimeMs
    const lifetimeMs = Math.max(SHORTEST_LIFETIME_MS, Math.min(asked, this.#lifetimeMs))
    const issuer = this.#issuer()
    const validity = this.#validity(issuer, lifetimeMs)
    const { pem, serial } = makeLeaf(issuer.signer, { spki, spiffeId, ...validity })
    return { chainPem: [pem, ...issuer.chainPem], serial, notAfterMs: validity.notAfterMs }
  }

  /** A certificate for the control plane's own server, for the given DNS names and IP addresses. Throws CA_EXPIRED. */
  async issueServer(
    publicKey: x509.PublicKeyType,
    names: { readonly dns: readonly string[]; readonly ip: readonly string[] },
  ): Promise<IssuedCertificate> {
    const generalNames: x509.JsonGeneralNames = [
      ...names.dns.map((value) => ({ type: 'dns' as const, value })),
      ...names.ip.map((value) => ({ type: 'ip' as const, value })),
    ]
    const issuer = this.#issuer()
    const { notBeforeMs, notAfterMs } = this.#validity(issuer, this.#lifetimeMs)
    const leaf = await x509.X509CertificateGenerator.create({
      serialNumber: randomBytes(16).toString('hex'),
      issuer: issuer.certificate.subjectName,
      publicKey,
      signingKey: issuer.signingKey,
      signingAlgorithm: issuer.algorithm,
      notBefore: new Date(notBeforeMs),
      notAfter: new Date(notAfterMs),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth], false),
        new x509.SubjectAlternativeNameExtension(generalNames, true),
        ...authorityKey(issuer),
      ],
    })
    const chainPem = [`${leaf.toString('pem')}\n`, ...issuer.chainPem]
    return { chainPem, serial: leaf.serialNumber, notAfterMs: leaf.notAfter.getTime() }
  }

  /** From a little before now, and never longer than the issuer itself. Throws CA_EXPIRED. */
  #validity(
    issuer: Issuer,
    lifetimeMs: number,
  ): { readonly notBeforeMs: number; readonly notAfterMs: number } {
    const nowMs = this.#clock.wallMs()
    const notAfterMs = Math.min(nowMs + lifetimeMs, issuer.notAfterMs)
    if (notAfterMs - nowMs < SHORTEST_LIFETIME_MS)
      throw new WeftError('CA_EXPIRED', 'the issuer ends before a new certificate could be of use')
    return {
      notBeforeMs: Math.max(nowMs - BACKDATE_MS, issuer.notBeforeMs),
      // Certificates know whole seconds.
      notAfterMs: Math.floor(notAfterMs / 1000) * 1000,
    }
  }
}

function authorityKey({ signer }: Issuer): x509.Extension[] {
  const { keyId } = signer
  return keyId === undefined ? [] : [new x509.AuthorityKeyIdentifierExtension(keyId.toString('hex'))]
}
