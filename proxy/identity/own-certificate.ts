/** Checks a certificate that is to be our own, before it takes the place of one that works. */
import { type KeyObject, type X509Certificate, createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { WeftError, reasonOf } from '../../core/errors.ts'
import { readCertificateFacts } from '../../core/certificate-facts.ts'
import type { KeyAndCertificate } from './identity.ts'
import { type TrustBundle, parseCertificates } from './trust-bundle.ts'

/** A new P-256 key, which only ever lives in this process and its own state folder. */
export function makeKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

/** Reads a private key in PEM. Throws STATE_FILE_INVALID without quoting it. */
export function parseKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (error) {
    throw new WeftError('STATE_FILE_INVALID', `the key kept is not usable: ${reasonOf(error)}`)
  }
}

/**
 * Key and chain, if the chain's leaf is for this key, for exactly this principal, in force now, and leads to a root
 * of the bundle. Throws CERTIFICATE_INVALID or CERTIFICATE_EXPIRED.
 */
export function checkOwnCertificate(options: {
  readonly key: KeyObject
  readonly chainPem: string
  readonly principal: string
  readonly bundle: TrustBundle
  readonly nowMs: number
}): KeyAndCertificate {
  const { key, principal, bundle, nowMs } = options
  const chain = parseCertificates(options.chainPem)
  const leaf = chain[0]
  if (leaf === undefined) throw new WeftError('CERTIFICATE_INVALID', 'the reply holds no certificate')
  if (!leaf.checkPrivateKey(key))
    throw new WeftError('CERTIFICATE_INVALID', 'the certificate is for another key')
  const facts = readCertificateFacts(leaf.raw)
  if (facts.uris.length !== 1 || facts.uris[0] !== principal) {
    throw new WeftError(
      'CERTIFICATE_INVALID',
      `the certificate is for ${facts.uris.join(', ')}, not for ${principal}`,
    )
  }
  if (!(facts.notAfterMs > nowMs)) {
    throw new WeftError(
      'CERTIFICATE_EXPIRED',
      `the certificate ended at ${new Date(facts.notAfterMs).toISOString()}`,
    )
  }
  // A root in the chain is of no use to peers, who trust only their own.
  const sent = chain.filter((certificate, index) => index === 0 || !isSelfIssued(certificate))
  if (rootOfChain(sent, bundle) === undefined) {
    throw new WeftError('CERTIFICATE_INVALID', 'the certificate was not issued by a root of the trust bundle')
  }
  return {
    keyPem: key.export({ format: 'pem', type: 'pkcs8' }) as string,
    certificatePem: sent.map((certificate) => certificate.toString()).join(''),
    notBeforeMs: facts.notBeforeMs,
    notAfterMs: facts.notAfterMs,
  }
}

function isSelfIssued(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate)
}

/** The root of the bundle that a chain in PEM, leaf first, leads to. */
export function rootOf(chainPem: string, bundle: TrustBundle): X509Certificate | undefined {
  return rootOfChain(parseCertificates(chainPem), bundle)
}

function rootOfChain(chain: readonly X509Certificate[], bundle: TrustBundle): X509Certificate | undefined {
  let last = chain[0]
  for (const next of chain.slice(1)) {
    if (last === undefined || !isIssuer(last, next)) return undefined
    last = next
  }
  const issued = last
  return issued === undefined ? undefined : bundle.roots.find((root) => isIssuer(issued, root))
}

function isIssuer(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}
