/** The little of ASN.1 DER that certificates and requests need: walk elements, and write some. */
import { Buffer } from 'node:buffer'

/** One element: its tag, and where its content lies in `bytes`. */
export type DerElement = {
  readonly tag: number
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** Reads the element at `offset`. Throws RangeError if it does not lie wholly before `limit`. */
export function readElement(bytes: Buffer, offset = 0, limit = bytes.length): DerElement {
  const tag = byteAt(bytes, offset, limit)
  let length = byteAt(bytes, offset + 1, limit)
  let start = offset + 2
  if (length > 0x7f) {
    const count = length & 0x7f
    if (count === 0 || count > 4) throw new RangeError('DER: a length of this form is not allowed')
    length = 0
    for (let i = 0; i < count; i++) length = length * 256 + byteAt(bytes, start + i, limit)
    start += count
  }
  const end = start + length
  if (end > limit) throw new RangeError('DER: an element is longer than what holds it')
  return { tag, bytes, start, end }
}

/** The elements inside of one. Throws RangeError if they do not fill it exactly. */
export function childrenOf(element: DerElement): DerElement[] {
  const children: DerElement[] = []
  let offset = element.start
  while (offset < element.end) {
    const child = readElement(element.bytes, offset, element.end)
    children.push(child)
    offset = child.end
  }
  return children
}

/** The content of an element, not copied. */
export function contentOf(element: DerElement): Buffer {
  return element.bytes.subarray(element.start, element.end)
}

/** The content of an OID as hex, which is enough to compare it. */
export function oidHexOf(element: DerElement): string {
  return contentOf(element).toString('hex')
}

/** Writes an element around the given content. */
export function derElement(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body])
}

/** Writes an object identifier from the hex of its content. */
export function derOid(hex: string): Buffer {
  return derElement(tags.oid, Buffer.from(hex, 'hex'))
}

/** DER in the armour of PEM. */
export function toPem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  if (length < 0x100) return Buffer.from([0x81, length])
  return Buffer.from([0x82, length >> 8, length & 0xff])
}

function byteAt(bytes: Buffer, offset: number, limit: number): number {
  const byte = offset < limit ? bytes[offset] : undefined
  if (byte === undefined) throw new RangeError('DER: an element ends too early')
  return byte
}
