/** Parses a response's head: RFC 9112 sections 4, 5 and 6. Any fault is a 502, and the connection is never used again. */
import type { BodyLength } from '../body.ts'
import { type HeaderList, removeHeader } from '../header-list.ts'
import { valueTable } from './characters.ts'
import { hasToken, parseFields } from './fields.ts'
import { responseBodyLength } from './framing.ts'
import { WireError } from './wire-error.ts'

export type ResponseHead = {
  readonly status: number
  readonly reason: string
  readonly headers: HeaderList
  readonly bodyLength: BodyLength
  /** The upstream keeps the connection, as far as its head tells. */
  readonly keepAlive: boolean
  readonly upgrade: string | undefined
}

const statusLine = /^HTTP\/1\.([01]) ([1-5][0-9][0-9])(?: (.*))?$/

function checkedReason(reason: string | undefined): string {
  if (reason === undefined) return ''
  for (let i = 0; i < reason.length; i++) {
    if (valueTable[reason.charCodeAt(i)] !== 1) throw new WireError(502, 'malformed reason phrase')
  }
  return reason
}

/** Parses `head`, latin1, up to the empty line; `requestMethod` decides whether a body follows. Throws WireError(502). */
export function parseResponseHead(head: string, requestMethod: string): ResponseHead {
  const lineEnd = head.indexOf('\r\n')
  const line = statusLine.exec(head.slice(0, lineEnd))
  if (line === null) throw new WireError(502, 'malformed status line')
  const versionMinor = line[1] === '1' ? 1 : 0
  const status = Number(line[2])
  const fields = parseFields(head, lineEnd + 2, 502)
  const bodyLength = responseBodyLength(fields, versionMinor, status, requestMethod)
  const { headers } = fields
  if (status === 204 || status < 200) {
    removeHeader(headers, 'content-length')
    removeHeader(headers, 'transfer-encoding')
  }
  return {
    status,
    reason: checkedReason(line[3]),
    headers,
    bodyLength,
    // HTTP/1.0 keep-alive is a guess of both sides about each other (RFC 9112 C.2.2): not worth a poisoned connection.
    keepAlive: versionMinor === 1 && (fields.connection === '' || !hasToken(fields.connection, 'close')),
    upgrade: fields.upgrade,
  }
}
