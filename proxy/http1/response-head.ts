/** Parses a response's head: RFC 9112 sections 4, 5 and 6. Any fault is a 502, and the connection is never used again. */
import type { BodyLength } from '../body.ts'
import type { HeaderList } from '../header-list.ts'
import { valueTable } from './characters.ts'
import { type Fields, hasToken, parseFields } from './fields.ts'
import { responseBodyLength } from './framing.ts'
import type { HeadSource } from './head-source.ts'
import { WireError } from './wire-error.ts'

export type ResponseHead = {
  readonly status: number
  readonly reason: string
  readonly headers: HeaderList
  readonly bodyLength: BodyLength
  /** The upstream keeps the connection, as far as its head tells. */
  readonly keepAlive: boolean
  /** The Keep-Alive field: for how long the upstream keeps it. */
  readonly keepAliveField: string | undefined
  /** What the connection changes to, said as RFC 9110 7.8 asks for: in HTTP/1.1, and nominated by Connection. */
  readonly upgrade: string | undefined
}

const protocol = 'HTTP/1.'
/** `HTTP/1.1 200`; what follows is a space and the reason, or the line's end. */
const statusEnd = 12
const space = 0x20
const carriageReturn = 0x0d
const lineFeed = 0x0a

type StatusLine = { readonly versionMinor: number; readonly status: number; readonly reason: string }

function parseStatusLine(source: HeadSource): StatusLine | undefined {
  const { bytes, start, end } = source
  let at = start + statusEnd
  if (at >= end) {
    // What is no HTTP/1 need not be waited for.
    const seen = source.slice(start, Math.min(end, start + protocol.length))
    if (!protocol.startsWith(seen)) throw new WireError(502, 'malformed status line')
    return undefined
  }
  const versionMinor = digit(bytes, start + 7)
  const status = 100 * digit(bytes, start + 9) + 10 * digit(bytes, start + 10) + digit(bytes, start + 11)
  const known = versionMinor === 0 || versionMinor === 1
  if (source.slice(start, start + protocol.length) !== protocol || !known || bytes[start + 8] !== space)
    throw new WireError(502, 'malformed status line')
  if (!(status >= 100 && status <= 599)) throw new WireError(502, 'malformed status line')
  const reasonStart = bytes[at] === space ? at + 1 : at
  at = reasonStart
  if (bytes[start + statusEnd] === space) while (valueTable[bytes[at] as number] === 1) at++
  if (at + 1 >= end) return undefined
  if (bytes[at] !== carriageReturn || bytes[at + 1] !== lineFeed)
    throw new WireError(502, 'malformed status line')
  source.position = at + 2
  return { versionMinor, status, reason: source.slice(reasonStart, at) }
}

/** The value of a decimal digit; NaN for anything else. */
function digit(bytes: Uint8Array, at: number): number {
  const code = bytes[at] as number
  return code >= 0x30 && code <= 0x39 ? code - 0x30 : Number.NaN
}

function offeredUpgrade({ connection, upgrade }: Fields, versionMinor: number): string | undefined {
  return versionMinor === 1 && hasToken(connection, 'upgrade') ? upgrade : undefined
}

/**
 * Parses the head at `source` and moves its position behind the empty line; undefined when that is not there yet.
 * `requestMethod` decides whether a body follows. Throws WireError(502).
 */
export function parseResponseHead(source: HeadSource, requestMethod: string): ResponseHead | undefined {
  const line = parseStatusLine(source)
  const fields = line === undefined ? undefined : parseFields(source, 502)
  if (line === undefined || fields === undefined) return undefined
  const { versionMinor, status, reason } = line
  const bodyLength = responseBodyLength(fields, versionMinor, status, requestMethod)
  const { headers } = fields
  if (status === 204 || status < 200) {
    headers.remove('content-length')
    headers.remove('transfer-encoding')
  }
  return {
    status,
    reason,
    headers,
    bodyLength,
    // HTTP/1.0 keep-alive is a guess of both sides about each other (RFC 9112 C.2.2): not worth a poisoned connection.
    keepAlive: versionMinor === 1 && (fields.connection === '' || !hasToken(fields.connection, 'close')),
    keepAliveField: fields.keepAlive,
    upgrade: fields.upgrade === undefined ? undefined : offeredUpgrade(fields, versionMinor),
  }
}
