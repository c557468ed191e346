/** Parses the field lines of a head (RFC 9112 section 5) and takes out what concerns only this hop. */
import { HeaderList, nameBit } from '../header-list.ts'
import { tokenTable, valueTable } from './characters.ts'
import type { HeadSource } from './head-source.ts'
import { maxHeaderCount } from './limits.ts'
import { WireError } from './wire-error.ts'

const colon = 0x3a
const carriageReturn = 0x0d
const lineFeed = 0x0a

/** What the fields say about this hop and the framing, beside the end-to-end fields that are forwarded. */
export class Fields {
  /** Forwarded as they are, framing fields included (with canonical values). */
  headers: HeaderList = noHeaders
  host: string | undefined = undefined
  contentLength = -1
  transferEncoding: string | undefined = undefined
  /** Tokens of Connection in lower case; empty: no such field. */
  connection = ''
  upgrade: string | undefined = undefined
  keepAlive: string | undefined = undefined
  expect: string | undefined = undefined
  /** The sender takes trailers: `TE: trailers`. */
  teTrailers = false
}

const noHeaders = new HeaderList()

/**
 * `Content_Length` and `Transfer_Encoding`, which CGI and its heirs (see `spells`) take for the fields that frame. Written
 * as `specialName` sees them, which sets a bit that makes `_` DEL.
 */
const underscored: readonly string[] = ['content\x7flength', 'transfer\x7fencoding']

/** Fields that end at this hop (RFC 9110 7.6.1) or decide the framing, by length, so that most cost one array read. */
const specialNames: ReadonlyArray<readonly string[]> = (() => {
  const byLength: string[][] = Array.from({ length: 32 }, () => [])
  const names = ['te', 'upgrade', 'connection', 'keep-alive', 'http2-settings', 'proxy-connection']
  names.push('proxy-authenticate', 'proxy-authorization')
  names.push('host', 'expect', 'content-length', 'transfer-encoding', ...underscored)
  for (const name of names) (byLength[name.length] as string[]).push(name)
  return byLength
})()

/**
 * A Connection field may not nominate these: that would let a client strip what frames and routes the message, and what
 * proxies before us have said of it.
 */
const neverNominated =
  /^(?:|host|content-length|transfer-encoding|authorization|forwarded|traceparent|tracestate|b3|(?:x-forwarded|x-b3|weft)-.*)$/

/** The special name in bytes[from, to), in lower case, or undefined. */
function specialName(bytes: Uint8Array, from: number, to: number): string | undefined {
  const candidates = specialNames[to - from]
  if (candidates === undefined) return undefined
  for (let c = 0; c < candidates.length; c++) {
    const name = candidates[c] as string
    let i = 0
    // Letters of a token differ by case in this bit only; what it makes equal beside letters is no token.
    while (i < name.length && ((bytes[from + i] as number) | 0x20) === name.charCodeAt(i)) i++
    if (i === name.length) return name
  }
  return undefined
}

/** Digits only: Number() would take signs, hex and exponents (http1.md R4). */
function decimal(text: string, status: number): number {
  const { length } = text
  let value = length > 0 && length <= 16 ? 0 : Number.NaN
  for (let i = 0; i < length && i < 16; i++) {
    const digit = text.charCodeAt(i) - 0x30
    value = digit >= 0 && digit <= 9 ? value * 10 + digit : Number.NaN
  }
  if (Number.isNaN(value)) throw new WireError(status, 'Content-Length is not a plain decimal number')
  if (!Number.isSafeInteger(value)) throw new WireError(status, 'Content-Length is too large')
  return value
}

/** Takes note of a special field; returns the value to forward, or undefined when it ends here. */
function takeSpecial(fields: Fields, lower: string, value: string, status: number): string | undefined {
  switch (lower) {
    case 'host':
      if (fields.host !== undefined) throw new WireError(status, 'more than one Host')
      fields.host = value
      return value
    case 'content-length':
      if (fields.contentLength !== -1) throw new WireError(status, 'more than one Content-Length')
      fields.contentLength = decimal(value, status)
      return value.length > 1 && value.startsWith('0') ? String(fields.contentLength) : value
    case 'transfer-encoding':
      if (fields.transferEncoding !== undefined)
        throw new WireError(status, 'more than one Transfer-Encoding')
      fields.transferEncoding = value.toLowerCase()
      return 'chunked'
    case 'connection':
      fields.connection =
        fields.connection === '' ? value.toLowerCase() : `${fields.connection},${value.toLowerCase()}`
      return undefined
    case 'upgrade':
      fields.upgrade = fields.upgrade === undefined ? value : `${fields.upgrade}, ${value}`
      return undefined
    case 'expect':
      // Joined: each of several has to be met (RFC 9110 10.1.1).
      fields.expect =
        fields.expect === undefined ? value.toLowerCase() : `${fields.expect},${value.toLowerCase()}`
      return undefined
    case 'te':
      fields.teTrailers ||= /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i.test(value)
      return undefined
    case 'keep-alive':
      fields.keepAlive = value
      return undefined
    case underscored[0]:
    case underscored[1]:
      // An application's reply goes to no CGI.
      if (status === 502) return value
      throw new WireError(status, 'framing field with an underscore')
    default:
      // Proxy-*, HTTP2-Settings: they end here.
      return undefined
  }
}

/** Sorts lines: runs of the original are forwarded where they are canonical, our own spelling where they are not. */
class LineSorter {
  readonly fields = new Fields()
  readonly #source: HeadSource
  readonly #status: number
  #text = ''
  #from: number
  #to: number

  constructor(source: HeadSource, status: number) {
    this.#source = source
    this.#status = status
    this.#from = this.#to = source.position
  }

  /** A line that is forwarded as it stands. */
  keep(from: number, to: number): void {
    if (from !== this.#to) {
      this.#flush()
      this.#from = from
    }
    this.#to = to
  }

  /**
   * A line that says something about this hop, or that is not written as we would; `lineEnd` is its CR. Returns whether
   * it is forwarded.
   */
  take(special: string | undefined, nameStart: number, nameEnd: number, lineEnd: number): boolean {
    const { bytes } = this.#source
    let from = nameEnd + 1
    let to = lineEnd
    while (from < to && isBlank(bytes[from])) from++
    while (to > from && isBlank(bytes[to - 1])) to--
    const value = this.#source.slice(from, to)
    const forwarded = special === undefined ? value : takeSpecial(this.fields, special, value, this.#status)
    if (forwarded === undefined) return false
    if (forwarded === value && isCanonical(bytes, nameEnd + 1, lineEnd)) {
      this.keep(nameStart, lineEnd + 2)
    } else {
      this.#flush()
      this.#text += `${this.#source.slice(nameStart, nameEnd)}: ${forwarded}\r\n`
    }
    return true
  }

  /** Everything that is forwarded. */
  lines(): string {
    this.#flush()
    return this.#text
  }

  #flush(): void {
    if (this.#to === this.#from) return
    const run = this.#source.slice(this.#from, this.#to)
    this.#text = this.#text === '' ? run : this.#text + run
    this.#from = this.#to
  }
}

function stripNominated(fields: Fields, status: number): void {
  const options = fields.connection.split(',')
  // Each is looked for in the whole head: thousands of them would be an attack on the processor.
  if (options.length > maxHeaderCount) throw new WireError(status, 'too many connection options')
  for (const part of options) {
    const token = trimBlanks(part)
    if (!neverNominated.test(token)) fields.headers.remove(token)
  }
}

/**
 * Parses field lines from `source.position` to the empty line and moves the position behind that; undefined when the
 * empty line is not there yet.
 * Throws WireError(status) on anything RFC 9112 does not allow: bare CR or LF, obs-fold, white space before the colon,
 * characters outside the grammar, repeated Host, Content-Length or Transfer-Encoding.
 */
export function parseFields(source: HeadSource, status: number): Fields | undefined {
  const { bytes, end } = source
  const sorter = new LineSorter(source, status)
  let at = source.position
  let count = 0
  let mask = 0
  while (bytes[at] !== carriageReturn || at >= end) {
    if (at >= end) return undefined
    if (++count > maxHeaderCount) throw new WireError(status === 400 ? 431 : status, 'too many header fields')
    const nameStart = at
    while (tokenTable[bytes[at] as number] === 1) at++
    const nameEnd = at
    if (at < end && (at === nameStart || bytes[at] !== colon))
      throw new WireError(status, 'malformed header name')
    const valueStart = ++at
    while (valueTable[bytes[at] as number] === 1) at++
    // What lies behind the end is of another read.
    if (at + 1 >= end) return undefined
    if (bytes[at] !== carriageReturn || bytes[at + 1] !== lineFeed)
      throw new WireError(status, 'malformed header value')
    const special = specialName(bytes, nameStart, nameEnd)
    const asItStands = special === undefined && isCanonical(bytes, valueStart, at)
    if (asItStands) sorter.keep(nameStart, at + 2)
    if (asItStands || sorter.take(special, nameStart, nameEnd, at))
      mask |= nameBit(nameEnd - nameStart, bytes[nameStart] as number)
    at += 2
  }
  if (at + 1 >= end) return undefined
  if (bytes[at + 1] !== lineFeed) throw new WireError(status, 'bare CR')
  source.position = at + 2
  const { fields } = sorter
  fields.headers = new HeaderList(sorter.lines(), mask)
  const { connection } = fields
  if (connection !== '' && connection !== 'keep-alive' && connection !== 'close')
    stripNominated(fields, status)
  return fields
}

/** Exactly one space before the value and none after it: the line is already as we would write it. */
function isCanonical(bytes: Uint8Array, valueStart: number, lineEnd: number): boolean {
  if (bytes[valueStart] !== 0x20 || lineEnd === valueStart) return false
  return lineEnd === valueStart + 1 || (!isBlank(bytes[valueStart + 1]) && !isBlank(bytes[lineEnd - 1]))
}

function isBlank(code: number | undefined): boolean {
  return code === 0x20 || code === 0x09
}

/** `text` without the white space that HTTP knows around it: to `trim`, a no-break space would be some too. */
function trimBlanks(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

/** Whether the comma list `connection` (lower case) holds `token`. */
export function hasToken(connection: string, token: string): boolean {
  if (connection === token) return true
  return connection.includes(token) && connection.split(',').some((part) => trimBlanks(part) === token)
}
