/**
 * Writes a workload's certificate (RFC 5280, X509-SVID), in DER and by hand: everything but the key, the name and the
 * times is the same in each, and when a thousand sidecars ask at once this is what they wait for.
 */
import { type KeyObject, randomBytes, sign } from 'node:crypto'
import { derElement, derOid, tags, toPem } from '../../core/der.ts'
import { oids } from '../../core/object-ids.ts'

export type LeafSigner = {
  readonly key: KeyObject
  /** Of the issuer's certificate: its subject, and its key's id where it has one. */
  readonly nameDer: Buffer
  readonly keyId: Buffer | undefined
}

export type Leaf = { readonly pem: string; readonly serial: string }

const URI_TAG = 0x86
const KEY_ID_TAG = 0x80
const VERSION_3 = derElement(0xa0, derElement(tags.integer, Buffer.from([2])))
const TRUE = derElement(tags.boolean, Buffer.from([0xff]))
/** The name is in the SAN alone, which must be critical then. */
const NO_SUBJECT = derElement(tags.sequence)
const FROM_2050_MS = Date.UTC(2050, 0, 1)

const fixedExtensions = [
  extension(oids.basicConstraints, derElement(tags.sequence), true),
  // digitalSignature, the first of the bits.
  extension(oids.keyUsage, derElement(tags.bitString, Buffer.from([7, 0x80])), true),
  extension(
    oids.extendedKeyUsage,
    derElement(tags.sequence, derOid(oids.serverAuth), derOid(oids.clientAuth)),
    false,
  ),
]

/** A certificate of `spiffeId` for the public key `spki` (DER), valid from `notBeforeMs` to `notAfterMs`. */
export function makeLeaf(
  { key, nameDer, keyId }: LeafSigner,
  leaf: {
    readonly spki: Buffer
    readonly spiffeId: string
    readonly notBeforeMs: number
    readonly notAfterMs: number
  },
): Leaf {
  const serial = makeSerial()
  const { algorithm, digest } = schemeOf(key)
  const names = derElement(tags.sequence, derElement(URI_TAG, Buffer.from(leaf.spiffeId, 'latin1')))
  const extensions = [
    ...fixedExtensions,
    extension(oids.subjectAltName, names, true),
    ...(keyId === undefined
      ? []
      : [extension(oids.authorityKeyId, derElement(tags.sequence, derElement(KEY_ID_TAG, keyId)), false)]),
  ]
  const signed = derElement(
    tags.sequence,
    VERSION_3,
    derElement(tags.integer, serial),
    algorithm,
    nameDer,
    derElement(tags.sequence, timeOf(leaf.notBeforeMs), timeOf(leaf.notAfterMs)),
    NO_SUBJECT,
    leaf.spki,
    derElement(0xa3, derElement(tags.sequence, ...extensions)),
  )
  const signature = derElement(tags.bitString, Buffer.from([0]), sign(digest, signed, key))
  const der = derElement(tags.sequence, signed, algorithm, signature)
  return { pem: toPem('CERTIFICATE', der), serial: serial.toString('hex') }
}

/** 126 random bits; the first are chosen so that it is positive and has no leading zeros, in whatever form it is written. */
function makeSerial(): Buffer {
  const serial = randomBytes(16)
  serial[0] = ((serial[0] as number) & 0x3f) | 0x40
  return serial
}

function schemeOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject) {
  if (asymmetricKeyType === 'rsa') {
    const none = derElement(tags.null)
    return { algorithm: derElement(tags.sequence, derOid(oids.sha256WithRsa), none), digest: 'sha256' }
  }
  return asymmetricKeyDetails?.namedCurve === 'secp384r1'
    ? { algorithm: derElement(tags.sequence, derOid(oids.ecdsaWithSha384)), digest: 'sha384' }
    : { algorithm: derElement(tags.sequence, derOid(oids.ecdsaWithSha256)), digest: 'sha256' }
}

function extension(oid: string, value: Buffer, critical: boolean): Buffer {
  const parts = [derOid(oid), ...(critical ? [TRUE] : []), derElement(tags.octetString, value)]
  return derElement(tags.sequence, ...parts)
}

/** Whole seconds; two digits of the year until 2049 (RFC 5280, 4.1.2.5). */
function timeOf(ms: number): Buffer {
  const text = `${new Date(ms)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '')}`
  return ms < FROM_2050_MS
    ? derElement(tags.utcTime, Buffer.from(text.slice(2), 'latin1'))
    : derElement(tags.generalizedTime, Buffer.from(text, 'latin1'))
}
