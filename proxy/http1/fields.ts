/** Parses the field lines of a head (RFC 9112 section 5) and takes out what concerns only this hop. */
import type { HeaderList } from '../header-list.ts'
import { tokenTable, valueTable } from './characters.ts'
import { maxHeaderCount } from './limits.ts'
import { WireError } from './wire-error.ts'

const colon = 0x3a
const carriageReturn = 0x0d
const lineFeed = 0x0a

/** What the fields say about this hop and the framing, beside the end-to-end fields that are forwarded. */
export class Fields {
  /** Forwarded as they are, framing fields included (with canonical values). */
  readonly headers: HeaderList = []
  host: string | undefined
  contentLength = -1
  transferEncoding: string | undefined
  /** Tokens of Connection in lower case; empty: no such field. */
  connection = ''
  upgrade: string | undefined
  expect: string | undefined
  /** The sender takes trailers: `TE: trailers`. */
  teTrailers = false
}

/** Names that end at this hop (RFC 9110 7.6.1), by length, so that most fields cost one array read. */
const hopByHop: ReadonlyArray<readonly string[] | undefined> = (() => {
  const byLength: string[][] = []
  const names = ['te', 'upgrade', 'connection', 'keep-alive', 'http2-settings', 'proxy-connection']
  names.push(
    'proxy-authenticate',
    'proxy-authorization',
    'host',
    'expect',
    'content-length',
    'transfer-encoding',
  )
  for (const name of names) (byLength[name.length] ??= []).push(name)
  return Array.from(byLength)
})()

/** A Connection field may not nominate these: that would let a client strip what others rely on. */
const neverNominated = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'authorization',
  'traceparent',
  'x-forwarded-client-cert',
  'weft-client-id',
  '',
])

function specialName(name: string): string | undefined {
  const candidates = hopByHop[name.length]
  if (candidates === undefined) return undefined
  const lower = name.toLowerCase()
  return candidates.includes(lower) ? lower : undefined
}

function decimal(text: string, status: number): number {
  // Digits only: Number() would take signs, hex and exponents (http1.md R4).
  if (!/^[0-9]{1,16}$/.test(text)) throw new WireError(status, 'Content-Length is not a plain decimal number')
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new WireError(status, 'Content-Length is too large')
  return value
}

function takeSpecial(fields: Fields, lower: string, name: string, value: string, status: number): void {
  switch (lower) {
    case 'host':
      if (fields.host !== undefined) throw new WireError(status, 'more than one Host')
      fields.host = value
      fields.headers.push(name, value)
      return
    case 'content-length':
      if (fields.contentLength !== -1) throw new WireError(status, 'more than one Content-Length')
      fields.contentLength = decimal(value, status)
      fields.headers.push(name, String(fields.contentLength))
      return
    case 'transfer-encoding':
      if (fields.transferEncoding !== undefined)
        throw new WireError(status, 'more than one Transfer-Encoding')
      fields.transferEncoding = value.toLowerCase()
      fields.headers.push(name, 'chunked')
      return
    case 'connection':
      fields.connection =
        fields.connection === '' ? value.toLowerCase() : `${fields.connection},${value.toLowerCase()}`
      return
    case 'upgrade':
      fields.upgrade = fields.upgrade === undefined ? value : `${fields.upgrade}, ${value}`
      return
    case 'expect':
      fields.expect = value.toLowerCase()
      return
    case 'te':
      fields.teTrailers ||= /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i.test(value)
      return
    default:
      // Keep-Alive, Proxy-*, HTTP2-Settings: they end here.
      return
  }
}

function stripNominated(fields: Fields): void {
  for (const part of fields.connection.split(',')) {
    const token = part.trim()
    if (neverNominated.has(token)) continue
    for (let i = 0; i < fields.headers.length; ) {
      if ((fields.headers[i] as string).toLowerCase() === token) fields.headers.splice(i, 2)
      else i += 2
    }
  }
}

/**
 * Parses `head` (latin1, ending in the empty line) from `start`, the first field line.
 * Throws WireError(status) on anything RFC 9112 does not allow: bare CR or LF, obs-fold, white space before the colon,
 * characters outside the grammar, repeated Host, Content-Length or Transfer-Encoding.
 */
export function parseFields(head: string, start: number, status: number): Fields {
  const fields = new Fields()
  let position = start
  let count = 0
  while (head.charCodeAt(position) !== carriageReturn) {
    if (++count > maxHeaderCount) throw new WireError(status === 400 ? 431 : status, 'too many header fields')
    const nameStart = position
    while (tokenTable[head.charCodeAt(position)] === 1) position++
    if (position === nameStart || head.charCodeAt(position) !== colon) {
      throw new WireError(status, 'malformed header name')
    }
    const name = head.slice(nameStart, position)
    let valueStart = ++position
    while (valueTable[head.charCodeAt(position)] === 1) position++
    if (head.charCodeAt(position) !== carriageReturn || head.charCodeAt(position + 1) !== lineFeed) {
      throw new WireError(status, 'malformed header value')
    }
    let valueEnd = position
    while (valueStart < valueEnd && isBlank(head.charCodeAt(valueStart))) valueStart++
    while (valueEnd > valueStart && isBlank(head.charCodeAt(valueEnd - 1))) valueEnd--
    const value = head.slice(valueStart, valueEnd)
    const special = specialName(name)
    if (special === undefined) fields.headers.push(name, value)
    else takeSpecial(fields, special, name, value, status)
    position += 2
  }
  if (head.charCodeAt(position + 1) !== lineFeed) throw new WireError(status, 'bare CR')
  const { connection } = fields
  if (connection !== '' && connection !== 'keep-alive' && connection !== 'close') stripNominated(fields)
  return fields
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** Whether the comma list `connection` (lower case) holds `token`. */
export function hasToken(connection: string, token: string): boolean {
  if (connection === token) return true
  return connection.includes(token) && connection.split(',').some((part) => part.trim() === token)
}
