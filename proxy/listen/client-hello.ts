/** Reads the ALPN protocols out of a TLS ClientHello (RFC 8446 4.1.2, RFC 7301) without terminating TLS. */
import { Buffer } from 'node:buffer'

export type ClientHello = { readonly alpn: readonly string[]; readonly serverName: string | undefined }

const handshakeRecord = 22
const clientHello = 1
const serverNameExtension = 0
const alpnExtension = 16
/** Larger ones exist only to keep us busy; OpenSSL's own limit is of this order. */
const maxHelloBytes = 16 * 1024

/** Whether `bytes` begin like a TLS handshake record. */
export function looksLikeTls(bytes: Buffer): boolean {
  return bytes[0] === handshakeRecord && (bytes.length < 2 || bytes[1] === 3)
}

/** Joins the handshake bytes of the records so far; undefined when the hello is not complete yet. */
function helloBytes(bytes: Buffer): Buffer | 'incomplete' | 'malformed' {
  if (bytes.length < 9) return 'incomplete'
  if (bytes[5] !== clientHello) return 'malformed'
  const length = bytes.readUIntBE(6, 3)
  if (length > maxHelloBytes) return 'malformed'
  const parts: Buffer[] = []
  let have = 0
  let position = 0
  while (have < length + 4) {
    if (position + 5 > bytes.length) return 'incomplete'
    if (bytes[position] !== handshakeRecord) return 'malformed'
    const recordLength = bytes.readUInt16BE(position + 3)
    if (recordLength === 0) return 'malformed'
    const part = bytes.subarray(position + 5, position + 5 + recordLength)
    if (part.length < recordLength && have + part.length < length + 4) return 'incomplete'
    parts.push(part)
    have += part.length
    position += 5 + recordLength
  }
  const hello = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
  return hello.subarray(4, length + 4)
}

function alpnNames(data: Buffer): string[] {
  const names: string[] = []
  let position = 2
  while (position < data.length) {
    const length = data.readUInt8(position)
    names.push(data.toString('latin1', position + 1, position + 1 + length))
    position += 1 + length
  }
  return names
}

function parseExtensions(hello: Buffer): ClientHello {
  let position = 34
  position += 1 + hello.readUInt8(position)
  position += 2 + hello.readUInt16BE(position)
  position += 1 + hello.readUInt8(position)
  let alpn: string[] = []
  let serverName: string | undefined
  const end = position + 2 <= hello.length ? position + 2 + hello.readUInt16BE(position) : position
  position += 2
  while (position + 4 <= end) {
    const type = hello.readUInt16BE(position)
    const data = hello.subarray(position + 4, position + 4 + hello.readUInt16BE(position + 2))
    if (type === alpnExtension) alpn = alpnNames(data)
    if (type === serverNameExtension && data.length > 5) {
      serverName = data.toString('latin1', 5, 5 + data.readUInt16BE(3))
    }
    position += 4 + data.length
  }
  return { alpn, serverName }
}

/** The hello that `bytes` begin with; 'malformed' is somebody else's business (it passes through as opaque). */
export function parseClientHello(bytes: Buffer): ClientHello | 'incomplete' | 'malformed' {
  const hello = helloBytes(bytes)
  if (typeof hello === 'string') return hello
  try {
    return parseExtensions(hello)
  } catch (error) {
    // Reading past the end throws RangeError: lengths inside the hello do not fit each other.
    if (error instanceof RangeError) return 'malformed'
    throw error
  }
}
