/** Issues certificates: the name always comes from who was authenticated, never from what was asked for. */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import { WeftError } from '../../core/errors.ts'
import { readCertificateRequest } from './certificate-request.ts'
import type { Root } from './root.ts'
import * as x509 from './x509.ts'

const DAY_MS = 86_400_000
/** Other machines' clocks may be a little behind ours. */
const BACKDATE_MS = 120_000
/** A certificate shorter than this would be renewed all the time. */
const SHORTEST_LIFETIME_MS = 60_000

export type IssuedCertificate = {
  /** Leaf first, root last, each in PEM. */
  readonly chainPem: readonly string[]
  readonly serial: string
  readonly notAfterMs: number
}

export class CertificateAuthority {
  readonly #root: Root
  readonly #clock: Clock
  readonly #lifetimeMs: number

  /** `lifetimeMs` is what a leaf gets when it asks for nothing, and the most it gets. */
  constructor(options: { readonly root: Root; readonly clock: Clock; readonly lifetimeMs?: number }) {
    this.#root = options.root
    this.#clock = options.clock
    this.#lifetimeMs = options.lifetimeMs ?? DAY_MS
  }

  /** The root certificate that peers verify against, PEM. */
  get trustBundlePem(): string {
    return this.#root.certificatePem
  }

  /**
   * A workload certificate with `spiffeId` as its only name, for the key that signed the request. The lifetime
   * asked for (0: the default) is cut to the maximum and to the root's own end. Throws CSR_REFUSED, CA_EXPIRED.
   */
  async issue(csrPem: string, spiffeId: string, requestedLifetimeMs: number): Promise<IssuedCertificate> {
    const publicKey = await readCertificateRequest(csrPem)
    const asked = requestedLifetimeMs > 0 ? requestedLifetimeMs : this.#lifetimeMs
    const lifetimeMs = Math.max(SHORTEST_LIFETIME_MS, Math.min(asked, this.#lifetimeMs))
    const usages = [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]
    return this.#sign(publicKey, [{ type: 'url', value: spiffeId }], usages, lifetimeMs)
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
    return this.#sign(publicKey, generalNames, [x509.ExtendedKeyUsage.serverAuth], this.#lifetimeMs)
  }

  async #sign(
    publicKey: x509.PublicKeyType,
    names: x509.JsonGeneralNames,
    usages: x509.ExtendedKeyUsageType[],
    lifetimeMs: number,
  ): Promise<IssuedCertificate> {
    const nowMs = this.#clock.wallMs()
    const notAfterMs = Math.min(nowMs + lifetimeMs, this.#root.notAfterMs)
    if (notAfterMs - nowMs < SHORTEST_LIFETIME_MS) {
      throw new WeftError('CA_EXPIRED', 'the root certificate ends before a new certificate could be of use')
    }
    const serial = randomBytes(16).toString('hex')
    const leaf = await x509.X509CertificateGenerator.create({
      serialNumber: serial,
      // No subject: the name is in the SAN alone, which must be critical then.
      issuer: this.#root.certificate.subjectName,
      publicKey,
      signingKey: this.#root.signingKey,
      signingAlgorithm: x509.SIGNING,
      notBefore: new Date(Math.max(nowMs - BACKDATE_MS, this.#root.notBeforeMs)),
      notAfter: new Date(notAfterMs),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension(usages, false),
        new x509.SubjectAlternativeNameExtension(names, true),
        await x509.AuthorityKeyIdentifierExtension.create(this.#root.certificate),
      ],
    })
    const chainPem = [`${leaf.toString('pem')}\n`, this.#root.certificatePem]
    return { chainPem, serial: leaf.serialNumber, notAfterMs: leaf.notAfter.getTime() }
  }
}
