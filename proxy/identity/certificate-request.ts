/** Makes a PKCS#10 certificate signing request, for a P-256 key and one SPIFFE identity. */
import { Buffer } from 'node:buffer'
import { type KeyObject, createPublicKey, sign } from 'node:crypto'
import { derElement, derOid, tags, toPem } from '../../core/der.ts'
import { oids } from '../../core/object-ids.ts'

const ATTRIBUTES_TAG = 0xa0
const URI_TAG = 0x86

/** The request in PEM. It holds the public key alone; the private key only signs it. */
export function createCertificateRequest(privateKey: KeyObject, spiffeId: string): string {
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  const info = derElement(
    tags.sequence,
    derElement(tags.integer, Buffer.from([0])),
    derElement(tags.sequence),
    publicKey,
    derElement(ATTRIBUTES_TAG, extensionRequest(spiffeId)),
  )
  const request = derElement(
    tags.sequence,
    info,
    derElement(tags.sequence, derOid(oids.ecdsaWithSha256)),
    derElement(tags.bitString, Buffer.from([0]), sign('sha256', info, privateKey)),
  )
  return toPem('CERTIFICATE REQUEST', request)
}

/** weft's own CA reads no names from a request; other CAs want to find the identity there. */
function extensionRequest(spiffeId: string): Buffer {
  const names = derElement(tags.sequence, derElement(URI_TAG, Buffer.from(spiffeId, 'latin1')))
  const extension = derElement(
    tags.sequence,
    derOid(oids.subjectAltName),
    derElement(tags.octetString, names),
  )
  const extensions = derElement(tags.sequence, extension)
  return derElement(tags.sequence, derOid(oids.extensionRequest), derElement(tags.set, extensions))
}
