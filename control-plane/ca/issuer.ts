/** A certificate authority that can sign: its key, its certificate, and the way from there to a root. */
import { type KeyObject, createPrivateKey, webcrypto, X509Certificate as NodeCertificate } from 'node:crypto'
import { splitPem } from '../../api/trust-bundle.ts'
import type { Clock } from '../../core/clock.ts'
import { WeftError, reasonOf } from '../../core/errors.ts'
import type { LeafSigner } from './leaf-certificate.ts'
import { whyRefused } from './prove-issuer.ts'
import * as x509 from './x509.ts'

export type Issuer = {
  readonly certificate: x509.X509Certificate
  /** Its own certificate, those between, and the root last; PEM, one text each. */
  readonly chainPem: readonly string[]
  readonly rootPem: string
  /** SHA-256 of the root, as Node writes fingerprints. */
  readonly rootFingerprint: string
  /** For leaves, which are written by hand. */
  readonly signer: LeafSigner
  readonly signingKey: webcrypto.CryptoKey
  readonly algorithm: x509.HashedAlgorithm & { readonly name: string }
  /** When the whole chain is in force. */
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

/** An issuer as it is kept. The chain begins with the issuer's own certificate; the root may be left out. */
export type IssuerPem = { readonly keyPem: string; readonly certificatePem: string }

/** How the two parts are called in errors. */
export type IssuerNames = { readonly key: string; readonly certificate: string }

const SMALLEST_RSA_BITS = 2048

/**
 * Checks an issuer: the key fits, every certificate is that of a CA and signed by the next, the last leads to one of
 * `rootsPem`, and what it signs is taken by peers. Throws STATE_FILE_INVALID, or CA_EXPIRED when a certificate of the
 * chain has ended.
 */
export async function loadIssuer(
  { keyPem, certificatePem }: IssuerPem,
  options: {
    readonly rootsPem: string
    readonly names: IssuerNames
    readonly trustDomain: string
    readonly clock: Clock
  },
): Promise<Issuer> {
  const { names, trustDomain, clock } = options
  const { key, signingKey, algorithm } = await importKey(keyPem, names.key)
  const chain = wholeChain(certificatePem, options.rootsPem, names.certificate)
  const own = chain[0] as NodeCertificate
  if (!own.checkPrivateKey(key))
    throw new WeftError('STATE_FILE_INVALID', `${names.certificate} does not belong to ${names.key}`)
  checkTrustDomain(own, trustDomain, names.certificate)
  const ended = chain.find(({ validToDate }) => validToDate.getTime() <= clock.wallMs())
  if (ended !== undefined)
    throw new WeftError('CA_EXPIRED', `${names.certificate} expired at ${ended.validToDate.toISOString()}`)
  const early = chain.find(({ validFromDate }) => validFromDate.getTime() > clock.wallMs())
  if (early !== undefined)
    throw new WeftError(
      'STATE_FILE_INVALID',
      `${names.certificate} is not valid before ${early.validFromDate.toISOString()}`,
    )
  const issuer = describeIssuer(chain, { key, signingKey, algorithm })
  const refusal = await whyRefused(issuer, options.rootsPem, trustDomain)
  if (refusal !== undefined)
    throw new WeftError('STATE_FILE_INVALID', `what ${names.certificate} signs is not taken: ${refusal}`)
  return issuer
}

function describeIssuer(
  chain: readonly NodeCertificate[],
  { key, signingKey, algorithm }: ImportedKey,
): Issuer {
  const [own, root] = [chain[0] as NodeCertificate, chain.at(-1) as NodeCertificate]
  const certificate = new x509.X509Certificate(own.toString())
  const keyId = certificate.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId
  return {
    certificate,
    signer: {
      key,
      nameDer: Buffer.from(certificate.subjectName.toArrayBuffer()),
      // The issuer's own word for its key: others make it in other ways than we do, and OpenSSL compares the two.
      keyId: keyId === undefined ? undefined : Buffer.from(keyId, 'hex'),
    },
    chainPem: chain.map((certificate) => certificate.toString()),
    rootPem: root.toString(),
    rootFingerprint: root.fingerprint256,
    signingKey,
    algorithm,
    notBeforeMs: Math.max(...chain.map(({ validFromDate }) => validFromDate.getTime())),
    notAfterMs: Math.min(...chain.map(({ validToDate }) => validToDate.getTime())),
  }
}

type ImportedKey = {
  readonly key: KeyObject
  readonly signingKey: webcrypto.CryptoKey
  readonly algorithm: Issuer['algorithm']
}

async function importKey(pem: string, name: string): Promise<ImportedKey> {
  try {
    const key = createPrivateKey(pem)
    const algorithm = algorithmOf(key)
    const pkcs8 = key.export({ format: 'der', type: 'pkcs8' })
    return {
      key,
      algorithm,
      signingKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']),
    }
  } catch (error) {
    throw new WeftError('STATE_FILE_INVALID', `${name} is not usable: ${reasonOf(error)}`, { cause: error })
  }
}

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): Issuer['algorithm'] {
  const { namedCurve, modulusLength = 0 } = asymmetricKeyDetails ?? {}
  if (namedCurve === 'prime256v1') return x509.SIGNING
  if (namedCurve === 'secp384r1') return { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' } as never
  if (asymmetricKeyType === 'rsa' && modulusLength >= SMALLEST_RSA_BITS)
    return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as never
  throw new Error('it is no key on P-256 or P-384 and no RSA key of 2048 bits or more')
}

function wholeChain(certificatePem: string, rootsPem: string, name: string): readonly NodeCertificate[] {
  const chain = readCertificates(certificatePem, name)
  if (chain.length === 0) throw new WeftError('STATE_FILE_INVALID', `${name} holds no certificate`)
  const roots = readCertificates(rootsPem, 'the trust bundle')
  const last = chain.at(-1) as NodeCertificate
  const isRoot = roots.some(({ fingerprint256 }) => fingerprint256 === last.fingerprint256)
  const root = isRoot ? undefined : roots.find((candidate) => isIssuedBy(last, candidate))
  if (!isRoot && root === undefined)
    throw new WeftError('STATE_FILE_INVALID', `${name} does not lead to a root of the trust bundle`)
  const whole = root === undefined ? chain : [...chain, root]
  whole.forEach((certificate, i) => {
    if (!certificate.ca) throw new WeftError('STATE_FILE_INVALID', `${name} is not the certificate of a CA`)
    const issuer = whole[i + 1]
    if (issuer !== undefined && !isIssuedBy(certificate, issuer))
      throw new WeftError('STATE_FILE_INVALID', `${name} is not a chain, each certificate signed by the next`)
  })
  return whole
}

function readCertificates(pem: string, name: string): readonly NodeCertificate[] {
  try {
    // A text without any certificate in it is told by its own parse error, which names the reason.
    const parts = splitPem(pem)
    return parts.length === 0 && pem.trim() !== ''
      ? [new NodeCertificate(pem)]
      : parts.map((part) => new NodeCertificate(part))
  } catch (error) {
    throw new WeftError('STATE_FILE_INVALID', `${name} is not a certificate: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}

function isIssuedBy(certificate: NodeCertificate, issuer: NodeCertificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

function checkTrustDomain(certificate: NodeCertificate, trustDomain: string, name: string): void {
  const domain = /URI:spiffe:\/\/([^/,\s]+)(?:[/,]|$)/.exec(certificate.subjectAltName ?? '')?.[1]
  if (domain === undefined || domain === trustDomain) return
  throw new WeftError('STATE_FILE_INVALID', `${name} is for trust domain ${domain}, not for ${trustDomain}`)
}
