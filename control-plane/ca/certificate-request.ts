/** Reads a certificate signing request: all that is taken from it is a public key whose owner signed it. */
import { type KeyObject, createPublicKey } from 'node:crypto'
import { WeftError, reasonOf } from '../../core/errors.ts'
import * as x509 from './x509.ts'

/** A P-256 request has about 500 bytes, one of RSA 4096 about 2 KiB. */
const LARGEST_REQUEST_BYTES = 16 * 1024
const SMALLEST_RSA_BITS = 2048
/** Beyond this a verification costs whole milliseconds, for a key of no more use. */
const LARGEST_RSA_BITS = 4096
const CURVES: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1'])

/**
 * The public key of a PKCS#10 request in PEM, after its own signature was verified. Names, SANs and extensions
 * asked for are not even looked at. Throws CSR_REFUSED.
 */
export async function readCertificateRequest(pem: string): Promise<x509.PublicKey> {
  if (pem.length > LARGEST_REQUEST_BYTES) {
    throw new WeftError(
      'CSR_REFUSED',
      `the request has ${pem.length} bytes, more than ${LARGEST_REQUEST_BYTES}`,
    )
  }
  const blocks = pem.match(/-----BEGIN [^-]+-----/g) ?? []
  if (blocks.length !== 1 || !/^-----BEGIN (NEW )?CERTIFICATE REQUEST-----$/.test(blocks[0] ?? '')) {
    throw new WeftError('CSR_REFUSED', 'not exactly one CERTIFICATE REQUEST in PEM form')
  }
  try {
    const request = new x509.Pkcs10CertificateRequest(pem.trim())
    // The key first: verifying the signature of a monstrous key is what an attacker would want.
    checkKey(createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' }))
    if (/SHA-?1\b|MD5/i.test(hashOf(request)))
      throw new WeftError('CSR_REFUSED', 'the signature uses a weak hash')
    if (!(await request.verify()))
      throw new WeftError('CSR_REFUSED', 'the request is not signed by its own key')
    return request.publicKey
  } catch (error) {
    if (error instanceof WeftError) throw error
    throw new WeftError('CSR_REFUSED', `the request cannot be read: ${reasonOf(error)}`, { cause: error })
  }
}

function checkKey(key: KeyObject): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'ec') {
    if (CURVES.has(details?.namedCurve)) return
    throw new WeftError('CSR_REFUSED', `keys on the curve ${details?.namedCurve} are not accepted`)
  }
  if (type === 'rsa') {
    const bits = details?.modulusLength ?? 0
    if (bits >= SMALLEST_RSA_BITS && bits <= LARGEST_RSA_BITS) return
    throw new WeftError('CSR_REFUSED', `RSA keys of ${bits} bits are not accepted`)
  }
  if (type === 'ed25519') return
  throw new WeftError('CSR_REFUSED', `keys of type ${type} are not accepted`)
}

function hashOf(request: x509.Pkcs10CertificateRequest): string {
  const { hash } = request.signatureAlgorithm as { readonly hash?: { readonly name: string } | string }
  return typeof hash === 'string' ? hash : (hash?.name ?? '')
}
