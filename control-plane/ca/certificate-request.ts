/** Reads a certificate signing request: all that is taken from it is a public key whose owner signed it. */
import { type KeyObject, createPublicKey, verify } from 'node:crypto'
import { childrenOf, contentOf, oidHexOf, readElement } from '../../core/der.ts'
import { WeftError, reasonOf } from '../../core/errors.ts'
import { oids } from '../../core/object-ids.ts'

/** A P-256 request has about 500 bytes, one of RSA 4096 about 2 KiB. */
const LARGEST_REQUEST_BYTES = 16 * 1024
const SMALLEST_RSA_BITS = 2048
/** Beyond this a verification costs whole milliseconds, for a key of no more use. */
const LARGEST_RSA_BITS = 4096
const CURVES: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1'])

/** How a request may be signed; Ed25519 has its digest inside. */
const DIGESTS: ReadonlyMap<string, string | null> = new Map([
  [oids.ecdsaWithSha256, 'sha256'],
  [oids.ecdsaWithSha384, 'sha384'],
  [oids.ecdsaWithSha512, 'sha512'],
  [oids.sha256WithRsa, 'sha256'],
  [oids.sha384WithRsa, 'sha384'],
  [oids.sha512WithRsa, 'sha512'],
  [oids.ed25519, null],
])

/**
 * The public key (SubjectPublicKeyInfo, DER) of a PKCS#10 request in PEM, after its own signature was verified. Names,
 * SANs and extensions asked for are not even looked at. Throws CSR_REFUSED.
 */
export function readCertificateRequest(pem: string): Buffer {
  if (pem.length > LARGEST_REQUEST_BYTES) {
    throw new WeftError(
      'CSR_REFUSED',
      `the request has ${pem.length} bytes, more than ${LARGEST_REQUEST_BYTES}`,
    )
  }
  try {
    return verifiedKey(derOf(pem))
  } catch (error) {
    if (error instanceof WeftError) throw error
    throw new WeftError('CSR_REFUSED', `the request cannot be read: ${reasonOf(error)}`, { cause: error })
  }
}

function derOf(pem: string): Buffer {
  const blocks = pem.match(/-----BEGIN [^-]+-----/g) ?? []
  const body =
    /^-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----\s([A-Za-z0-9+/=\s]+)-----END (?:NEW )?CERTIFICATE REQUEST-----$/.exec(
      pem.trim(),
    )?.[1]
  if (blocks.length !== 1 || body === undefined)
    throw new WeftError('CSR_REFUSED', 'not exactly one CERTIFICATE REQUEST in PEM form')
  return Buffer.from(body, 'base64')
}

function verifiedKey(der: Buffer): Buffer {
  const request = readElement(der)
  const [info, algorithm, signature] = childrenOf(request)
  if (request.end !== der.length || info === undefined || algorithm === undefined || signature === undefined)
    throw new WeftError('CSR_REFUSED', 'the request does not have three parts, and nothing behind them')
  const [version, subject, key] = childrenOf(info)
  if (version === undefined || subject === undefined || key === undefined)
    throw new WeftError('CSR_REFUSED', 'the request has no key')
  const spki = Buffer.from(der.subarray(subject.end, key.end))
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  // The key first: verifying the signature of a monstrous key is what an attacker would want.
  checkKey(publicKey)
  const digest = DIGESTS.get(oidHexOf(childrenOf(algorithm)[0] ?? algorithm))
  if (digest === undefined)
    throw new WeftError('CSR_REFUSED', 'the signature is made in a way that is not accepted')
  // The first byte of a bit string counts the bits that its last byte has too many.
  const bits = contentOf(signature).subarray(1)
  if (!verify(digest, der.subarray(request.start, info.end), publicKey, bits))
    throw new WeftError('CSR_REFUSED', 'the request is not signed by its own key')
  return spki
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
