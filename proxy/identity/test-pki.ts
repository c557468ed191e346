/** Roots and certificates of every kind, good and bad, for the tests of this folder. */
import 'reflect-metadata'
import { createPrivateKey, randomUUID, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import type { CertificateIssuer } from './certificate-issuer.ts'

const SIGNING = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const { serverAuth, clientAuth } = x509.ExtendedKeyUsage
const HOUR_MS = 3_600_000

export type LeafOptions = {
  readonly uris?: readonly string[]
  readonly dns?: readonly string[]
  readonly ip?: readonly string[]
  readonly usages?: readonly ('server' | 'client')[]
  readonly notBeforeMs?: number
  readonly notAfterMs?: number
  readonly ca?: boolean
  readonly publicKey?: x509.PublicKeyType
  /** `CN=...`; none unless set. */
  readonly subject?: string
  /** Of the leaf's own key; P-256 unless set. */
  readonly keyAlgorithm?: KeyAlgorithm
  /** Of the root's signature. */
  readonly hash?: 'SHA-1' | 'SHA-256'
  /** Beside the usual ones. */
  readonly extensions?: readonly x509.Extension[]
}

export type IssuerOptions = Pick<LeafOptions, 'notAfterMs' | 'hash' | 'keyAlgorithm' | 'extensions'> & {
  /** False: it signs all the same. */
  readonly ca?: boolean
}

type KeyAlgorithm = Parameters<typeof webcrypto.subtle.generateKey>[0]

export type Leaf = {
  readonly keyPem: string
  readonly certificatePem: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

/** A root, or an issuer below one, that signs whatever it is told to. */
export class TestRoot {
  readonly pem: string
  readonly #certificate: x509.X509Certificate
  readonly #keys: webcrypto.CryptoKeyPair
  /** What its leaves bring with them, PEM: every certificate between them and the root. */
  readonly #between: string

  private constructor(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair, above?: string) {
    this.#certificate = certificate
    this.#keys = keys
    this.pem = `${certificate.toString('pem')}\n`
    this.#between = above === undefined ? '' : this.pem + above
  }

  static async make(name = 'test root'): Promise<TestRoot> {
    const keys = await webcrypto.subtle.generateKey(SIGNING, true, ['sign', 'verify'])
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      keys,
      signingAlgorithm: SIGNING,
      notBefore: new Date(Date.now() - HOUR_MS),
      notAfter: new Date(Date.now() + 1000 * HOUR_MS),
      extensions: [
        new x509.BasicConstraintsExtension(true, 1, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    })
    return new TestRoot(certificate, keys)
  }

  async leaf(options: LeafOptions = {}): Promise<Leaf> {
    const algorithm = options.keyAlgorithm ?? SIGNING
    const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
      'sign',
      'verify',
    ])) as webcrypto.CryptoKeyPair
    const certificate = await this.#sign(options.publicKey ?? keys.publicKey, options)
    return { keyPem: await pemOf(keys.privateKey), ...certificate }
  }

  /** An issuer below this one. */
  async below(options: IssuerOptions = {}): Promise<TestRoot> {
    const { keyAlgorithm: algorithm = SIGNING, hash, ca = true, extensions = [] } = options
    const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
      'sign',
      'verify',
    ])) as webcrypto.CryptoKeyPair
    const certificate = await x509.X509CertificateGenerator.create({
      issuer: this.#certificate.subjectName,
      subject: `CN=issuer ${randomUUID()}`,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: this.#scheme(hash),
      notBefore: new Date(Date.now() - HOUR_MS),
      notAfter: new Date(options.notAfterMs ?? Date.now() + 500 * HOUR_MS),
      extensions: [
        new x509.BasicConstraintsExtension(ca, ca ? 0 : undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        ...extensions,
      ],
    })
    return new TestRoot(certificate, keys, this.#between)
  }

  /** As a user hands it to the control plane. */
  async issuerPem(): Promise<{ readonly keyPem: string; readonly certificatePem: string }> {
    return { keyPem: await pemOf(this.#keys.privateKey), certificatePem: this.pem }
  }

  #scheme(hash = 'SHA-256') {
    const { name, namedCurve } = this.#keys.privateKey.algorithm as unknown as typeof SIGNING
    return { name, hash, ...(namedCurve === undefined ? {} : { namedCurve }) }
  }

  /** As the control plane's CA: signs the key of a request for `spiffeId`. */
  issuer(
    spiffeId: string,
    lifetimeMs = 24 * HOUR_MS,
    now = () => Date.now(),
  ): CertificateIssuer & { readonly requests: string[] } {
    const requests: string[] = []
    return {
      requests,
      issue: async (csrPem) => {
        requests.push(csrPem)
        const request = new x509.Pkcs10CertificateRequest(csrPem)
        if (!(await request.verify())) throw new Error('the request is not signed by its key')
        const span = { notBeforeMs: now() - 120_000, notAfterMs: now() + lifetimeMs }
        const { certificatePem } = await this.#sign(request.publicKey, { uris: [spiffeId], ...span })
        return [certificatePem, this.pem]
      },
    }
  }

  async #sign(publicKey: x509.PublicKeyType, options: LeafOptions): Promise<Omit<Leaf, 'keyPem'>> {
    const {
      uris = ['spiffe://cluster.local/ns/shop/sa/web'],
      dns = [],
      ip = [],
      usages = ['server', 'client'],
    } = options
    const notBeforeMs = options.notBeforeMs ?? Date.now() - 120_000
    const notAfterMs = options.notAfterMs ?? Date.now() + HOUR_MS
    const names: x509.JsonGeneralNames = [
      ...uris.map((value) => ({ type: 'url' as const, value })),
      ...dns.map((value) => ({ type: 'dns' as const, value })),
      ...ip.map((value) => ({ type: 'ip' as const, value })),
    ]
    const certificate = await x509.X509CertificateGenerator.create({
      issuer: this.#certificate.subjectName,
      publicKey,
      ...(options.subject === undefined ? {} : { subject: options.subject }),
      signingKey: this.#keys.privateKey,
      signingAlgorithm: this.#scheme(options.hash),
      notBefore: new Date(notBeforeMs),
      notAfter: new Date(notAfterMs),
      extensions: [
        new x509.BasicConstraintsExtension(options.ca ?? false, undefined, true),
        new x509.ExtendedKeyUsageExtension(
          usages.map((usage) => (usage === 'server' ? serverAuth : clientAuth)),
        ),
        ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names, true)] : []),
        ...(options.extensions ?? []),
      ],
    })
    const certificatePem = `${certificate.toString('pem')}\n${this.#between}`
    return { certificatePem, notBeforeMs, notAfterMs }
  }
}

/** A certificate that vouches for itself. */
export async function selfSigned(uri = 'spiffe://cluster.local/ns/shop/sa/web'): Promise<Leaf> {
  const keys = await webcrypto.subtle.generateKey(SIGNING, true, ['sign', 'verify'])
  const notBeforeMs = Date.now() - 120_000
  const notAfterMs = Date.now() + HOUR_MS
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=self',
    keys,
    signingAlgorithm: SIGNING,
    notBefore: new Date(notBeforeMs),
    notAfter: new Date(notAfterMs),
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'url', value: uri }], true)],
  })
  return {
    keyPem: await pemOf(keys.privateKey),
    certificatePem: certificate.toString('pem'),
    notBeforeMs,
    notAfterMs,
  }
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key))
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({
    format: 'pem',
    type: 'pkcs8',
  }) as string
}
