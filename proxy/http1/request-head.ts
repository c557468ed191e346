/** Parses a request's head: RFC 9112 sections 3, 5 and 6, strictly (no repair of what is malformed). */
import { isIPv6 } from 'node:net'
import { type BodyLength, untilClose } from '../body.ts'
import type { HeaderList } from '../header-list.ts'
import { targetTable, tokenTable } from './characters.ts'
import { type Fields, hasToken, parseFields } from './fields.ts'
import { requestBodyLength } from './framing.ts'
import type { HeadSource } from './head-source.ts'
import { WireError } from './wire-error.ts'

/** One parsed request head. `headers` holds the end-to-end fields only. */
export type RequestHead = {
  readonly method: string
  /** Origin form (`/path?query`) or `*`. */
  readonly target: string
  /** Host and port as the client gave them; empty only for HTTP/1.0 without Host. */
  readonly authority: string
  /** The target came in absolute form: the client speaks to us as to a proxy. */
  readonly absoluteForm: boolean
  readonly versionMinor: 0 | 1
  readonly headers: HeaderList
  /** `untilClose` for a CONNECT: all that follows is the tunnel's. */
  readonly bodyLength: BodyLength
  readonly keepAlive: boolean
  readonly expectContinue: boolean
  readonly upgrade: string | undefined
  readonly acceptsTrailers: boolean
}

// RFC 3986 3.2.2 without userinfo. Percent-encoding is left out: no service is named with it, and filters differ on it.
// Nor are zeroes before a port: `:080` is `:80` to some and another name to others.
const port = /(?:0|[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])/.source
const host = /(?:\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z._~!$&'()*+;=-]{1,255})/.source
const authorityForm = new RegExp(`^${host}(?::${port})?$`)

/** The last one that was right: clients ask for the same again and again, and a comparison costs a tenth of the test. */
let lastAuthority: string | undefined

/** Whether `text` is `host[:port]` as RFC 3986 has it, without userinfo. */
export function isAuthority(text: string): boolean {
  if (text === lastAuthority) return true
  if (!authorityForm.test(text)) return false
  if (text.startsWith('[') && !isIPv6(text.slice(1, text.indexOf(']')))) return false
  lastAuthority = text
  return true
}

const space = 0x20
/** ` HTTP/1.1` and the line's end. */
const versionBytes = 11
const longestMethod = 32

function parseVersion(text: string): 0 | 1 {
  if (text === ' HTTP/1.1\r\n') return 1
  if (text === ' HTTP/1.0\r\n') return 0
  if (/^ HTTP\/1\.[2-9]\r\n$/.test(text)) return 1
  if (/^ HTTP\/[0-9]\.[0-9]\r\n$/.test(text)) throw new WireError(505, 'unsupported HTTP version')
  throw new WireError(400, 'malformed request line')
}

function splitAbsolute(target: string, method: string): { authority: string; target: string } {
  if (!/^http:\/\//i.test(target)) throw new WireError(400, 'unsupported request target')
  const rest = target.slice(7)
  const end = rest.search(/[/?]/)
  const authority = end === -1 ? rest : rest.slice(0, end)
  if (!isAuthority(authority)) throw new WireError(400, 'malformed authority in the request target')
  // RFC 9112 3.2.4: that is how a client asks a proxy for what `*` is to a server.
  if (end === -1 && method === 'OPTIONS') return { authority, target: '*' }
  const path = end === -1 ? '/' : rest.slice(end)
  return { authority, target: path.startsWith('/') ? path : `/${path}` }
}

function authorityFromHost(fields: Fields, versionMinor: number): string {
  if (fields.host === undefined) {
    if (versionMinor === 1) throw new WireError(400, 'no Host')
    return ''
  }
  if (!isAuthority(fields.host)) throw new WireError(400, 'malformed Host')
  return fields.host
}

function expectsContinue(fields: Fields, versionMinor: number): boolean {
  if (fields.expect === undefined || versionMinor === 0) return false
  // A list, in which it may stand twice (RFC 9110 10.1.1).
  if (!/^100-continue(?:[ \t]*,[ \t]*100-continue)*$/.test(fields.expect))
    throw new WireError(417, 'unknown expectation')
  return true
}

function keepsAlive(fields: Fields, versionMinor: number): boolean {
  if (fields.connection === '') return versionMinor === 1
  if (hasToken(fields.connection, 'close')) return false
  return versionMinor === 1 || hasToken(fields.connection, 'keep-alive')
}

/** HTTP/2 by any name that the Upgrade field has known. */
const http2Upgrade = /^(?:h2c?|http\/.*)$/i

/** RFC 9110 7.8; a list of them would leave it to the application which bytes follow. */
const oneProtocol = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:\/[!#$%&'*+.^_`|~0-9A-Za-z-]+)?$/

/** What a request is upgraded to; HTTP/2 is not offered, and an upgrade with a body is not tried (http1.md rows 52, 53). */
function wantedUpgrade(fields: Fields, bodyLength: BodyLength, versionMinor: number): string | undefined {
  if (fields.upgrade === undefined || versionMinor === 0 || bodyLength !== 0) return undefined
  if (!hasToken(fields.connection, 'upgrade')) return undefined
  return !http2Upgrade.test(fields.upgrade) && oneProtocol.test(fields.upgrade) ? fields.upgrade : undefined
}

type RequestLine = { readonly method: string; readonly target: string; readonly versionMinor: 0 | 1 }

/** RFC 9112 section 3, up to and with the line's end. */
function parseRequestLine(source: HeadSource): RequestLine | undefined {
  const { bytes, start, end } = source
  let at = start
  while (tokenTable[bytes[at] as number] === 1) at++
  const methodEnd = at
  if (Math.min(at, end) - start > longestMethod) throw new WireError(400, 'malformed method')
  if (at >= end) return undefined
  if (at === start || bytes[at] !== space) throw new WireError(400, 'malformed method')
  const targetStart = ++at
  while (targetTable[bytes[at] as number] === 1) at++
  if (at >= end) return undefined
  if (at === targetStart || bytes[at] !== space) {
    // The one place where both what follows the target and the target itself may be at fault.
    const endsLine = bytes[at] === 0x0d || bytes[at] === 0x0a
    throw new WireError(400, endsLine ? 'malformed request line' : 'malformed request target')
  }
  if (at + versionBytes > end) return undefined
  const versionMinor = parseVersion(source.slice(at, at + versionBytes))
  source.position = at + versionBytes
  return { method: source.slice(start, methodEnd), target: source.slice(targetStart, at), versionMinor }
}

export const connectNotAllowed = 'CONNECT is not allowed here'

/** RFC 9110 9.3.6: the target is host and port, both of them, and there is no body. */
function parseConnect(source: HeadSource, { target, versionMinor }: RequestLine): RequestHead | undefined {
  if (!isAuthority(target) || !/:[0-9]+$/.test(target)) throw new WireError(405, connectNotAllowed)
  const fields = parseFields(source, 400)
  if (fields === undefined) return undefined
  authorityFromHost(fields, versionMinor)
  if (requestBodyLength(fields, versionMinor) !== 0) throw new WireError(400, 'CONNECT with a body')
  return {
    method: 'CONNECT',
    target,
    authority: target,
    absoluteForm: true,
    versionMinor,
    headers: fields.headers,
    bodyLength: untilClose,
    keepAlive: keepsAlive(fields, versionMinor),
    expectContinue: false,
    upgrade: undefined,
    acceptsTrailers: false,
  }
}

/** As `parseRequestHead`, where CONNECT may be allowed. */
export function parseProxyRequestHead(source: HeadSource): RequestHead | undefined {
  return parseRequestHead(source, parseConnect)
}

/**
 * Parses the head at `source` and moves its position behind the empty line; undefined when that is not there yet. Throws
 * WireError with the status to answer: 400 for anything malformed, 405 for CONNECT, 417, 431, 501 or 505.
 */
export function parseRequestHead(
  source: HeadSource,
  connect?: (source: HeadSource, line: RequestLine) => RequestHead | undefined,
): RequestHead | undefined {
  const line = parseRequestLine(source)
  if (line === undefined) return undefined
  const { method, versionMinor } = line
  let { target } = line
  if (method === 'CONNECT') {
    if (connect !== undefined) return connect(source, line)
    throw new WireError(405, connectNotAllowed)
  }
  const fields = parseFields(source, 400)
  if (fields === undefined) return undefined
  const { headers } = fields
  let authority = authorityFromHost(fields, versionMinor)
  let absoluteForm = false
  if (target.charCodeAt(0) !== 0x2f && !(target === '*' && method === 'OPTIONS')) {
    const parts = splitAbsolute(target, method)
    absoluteForm = true
    target = parts.target
    // RFC 9112 3.2.2: the target's authority wins, and Host is rewritten so that nobody behind us reads another.
    authority = parts.authority
    headers.set('host', authority, 'Host')
  }
  const bodyLength = requestBodyLength(fields, versionMinor)
  return {
    method,
    target,
    authority,
    absoluteForm,
    versionMinor,
    headers,
    bodyLength,
    keepAlive: keepsAlive(fields, versionMinor),
    expectContinue: expectsContinue(fields, versionMinor) && bodyLength !== 0,
    upgrade: wantedUpgrade(fields, bodyLength, versionMinor),
    acceptsTrailers: fields.teTrailers,
  }
}
