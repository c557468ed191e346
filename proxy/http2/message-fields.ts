/** What the fields of a message say to a proxy: which go on, and how long the body is. */
import { bitOf } from '../header-list.ts'

/** Fields that go on, and the `nameBit` of their names. */
export type EndToEnd = { readonly fields: readonly string[]; readonly mask: number }

/** Whether `text` is made of what `table` accepts. */
export function madeOf(table: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (table[text.charCodeAt(i)] !== 1) return false
  return true
}

/** Whether there is a field `name`. */
export function hasField(fields: readonly string[], name: string): boolean {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return true
  return false
}

/** -1: not said; undefined: it cannot be that. Digits only: Number() would take signs, hex and exponents. */
export function contentLengthOf(fields: readonly string[]): number | undefined {
  let length = -1
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== 'content-length') continue
    const text = fields[i + 1] as string
    if (length !== -1 || !/^[0-9]{1,16}$/.test(text)) return undefined
    length = Number(text)
    if (!Number.isSafeInteger(length)) return undefined
  }
  return length
}

/** Without the field `dropped`, and with cookies in one piece, as whoever asks for them expects; the same array where nothing changes. */
export function endToEnd(fields: readonly string[], dropped: string): EndToEnd {
  let mask = 0
  let crumbs = 0
  let asItIs = true
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string
    if (name === 'cookie') crumbs++
    if (name === dropped || name === 'http2-settings') asItIs = false
    else mask |= bitOf(name)
  }
  if (asItIs && crumbs < 2) return { fields, mask }
  return { fields: joinCookies(fields, dropped), mask }
}

function joinCookies(fields: readonly string[], dropped: string): string[] {
  const cookies = fields.filter((_, i) => i % 2 === 1 && fields[i - 1] === 'cookie').join('; ')
  const joined: string[] = []
  let cookieDone = false
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string
    if (name === dropped || name === 'http2-settings' || (name === 'cookie' && cookieDone)) continue
    joined.push(name, name === 'cookie' ? cookies : (fields[i + 1] as string))
    cookieDone ||= name === 'cookie'
  }
  return joined
}

/** Fields that a trailer must not bring: they frame, route or prove something, and come too late for that (RFC 9110 6.5.1); who we are to others not either as CGI spells it. */
const neverTrailers =
  /^(?:content-|x[-_]forwarded[-_]|forwarded$|host$|te$|trailer$|authorization$|proxy-|cookie$|set-cookie$|expect$|range$|max-forwards$|cache-control$|weft[-_]|:)/

/** The fields of trailers that go on. */
export function trailerFields(fields: readonly string[]): EndToEnd {
  let mask = 0
  const kept: string[] = []
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string
    if (neverTrailers.test(name)) continue
    kept.push(name, fields[i + 1] as string)
    mask |= bitOf(name)
  }
  return { fields: kept, mask }
}
