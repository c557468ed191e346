/**
 * What weft needs to know of a certificate, read from its DER. The text forms that Node offers join several names
 * into one string, in which a name can be made to look like two.
 */
import type { Buffer } from 'node:buffer'
import { WeftError, reasonOf } from './errors.ts'
import { type DerElement, childrenOf, contentOf, oidHexOf, readElement, tags } from './der.ts'
import { oids } from './object-ids.ts'

export type CertificateFacts = {
  /** Every URI of the subject alternative name, in order. */
  readonly uris: readonly string[]
  readonly isCa: boolean
  /** Whether the extended key usage names the purpose; without that extension neither. */
  readonly serverAuth: boolean
  readonly clientAuth: boolean
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

const EXTENSIONS_TAG = 0xa3
const VERSION_TAG = 0xa0
const URI_TAG = 0x86

/** Reads a certificate in DER. Throws CERTIFICATE_INVALID. */
export function readCertificateFacts(der: Buffer): CertificateFacts {
  try {
    return factsOf(readElement(der))
  } catch (error) {
    throw new WeftError('CERTIFICATE_INVALID', `a certificate cannot be read: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}

function factsOf(certificate: DerElement): CertificateFacts {
  const [tbs] = childrenOf(certificate)
  const fields = childrenOf(present(tbs))
  // Version, serial, signature, issuer, validity; the version is left out of certificates of version 1.
  const validity = fields[fields[0]?.tag === VERSION_TAG ? 4 : 3]
  const [notBefore, notAfter] = childrenOf(present(validity)).map(timeOf)
  const extensions = extensionsOf(fields)
  const usages = extensions.get(oids.extendedKeyUsage)
  const purposes = usages === undefined ? [] : childrenOf(usages).map(oidHexOf)
  return {
    uris: urisOf(extensions.get(oids.subjectAltName)),
    isCa: isCaOf(extensions.get(oids.basicConstraints)),
    serverAuth: purposes.includes(oids.serverAuth),
    clientAuth: purposes.includes(oids.clientAuth),
    notBeforeMs: notBefore ?? Number.NaN,
    notAfterMs: notAfter ?? Number.NaN,
  }
}

/** Extension values by OID. Each may be there once only; a second one would be a way to hide a name. */
function extensionsOf(fields: readonly DerElement[]): Map<string, DerElement> {
  const found = new Map<string, DerElement>()
  const holder = fields.find((field) => field.tag === EXTENSIONS_TAG)
  if (holder === undefined) return found
  for (const extension of childrenOf(present(childrenOf(holder)[0]))) {
    const parts = childrenOf(extension)
    const oid = oidHexOf(present(parts[0]))
    const value = present(parts.at(-1))
    if (value.tag !== tags.octetString) throw new RangeError('DER: an extension has no value')
    if (found.has(oid)) throw new RangeError('an extension is there twice')
    found.set(oid, readElement(value.bytes, value.start, value.end))
  }
  return found
}

function urisOf(names: DerElement | undefined): readonly string[] {
  if (names === undefined) return []
  return childrenOf(names)
    .filter((name) => name.tag === URI_TAG)
    .map((name) => contentOf(name).toString('latin1'))
}

function isCaOf(constraints: DerElement | undefined): boolean {
  const first = constraints === undefined ? undefined : childrenOf(constraints)[0]
  return first?.tag === tags.boolean && contentOf(first)[0] !== 0
}

function timeOf(element: DerElement): number {
  const text = contentOf(element).toString('latin1')
  const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text)
  if (match === null) throw new RangeError('a time has an unknown form')
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  // Two digits mean 1950 to 2049 (RFC 5280).
  const fullYear = element.tag === tags.generalizedTime ? year : year < 50 ? 2000 + year : 1900 + year
  return Date.UTC(fullYear, month - 1, day, hour, minute, second)
}

function present(element: DerElement | undefined): DerElement {
  if (element === undefined) throw new RangeError('DER: an element is missing')
  return element
}
