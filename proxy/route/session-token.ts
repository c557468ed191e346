/** What a client is given to say where its session is: no secret, and worth no more than the endpoints of its route. */
import { Buffer } from 'node:buffer'
import type { HeaderList } from '../header-list.ts'

export type SessionToken = {
  readonly cluster: string
  /** `address:port` of the endpoint. */
  readonly address: string
  /** Wall times, in whole seconds. */
  readonly beganMs: number
  readonly usedMs: number
}

/** Longer ones are not ours. */
const maxLength = 1024

export function formatToken({ cluster, address, beganMs, usedMs }: SessionToken): string {
  const seconds = [beganMs, usedMs].map((ms) => Math.floor(ms / 1000))
  return Buffer.from([cluster, address, ...seconds].join('|')).toString('base64url')
}

/** undefined for what is no token of ours. */
export function parseToken(text: string): SessionToken | undefined {
  if (text.length > maxLength) return undefined
  const parts = /^([^|]+)\|([^|]+)\|([0-9]{1,12})\|([0-9]{1,12})$/.exec(
    Buffer.from(text, 'base64url').toString('latin1'),
  )
  if (parts === null) return undefined
  const [, cluster = '', address = '', began, used] = parts
  return { cluster, address, beganMs: Number(began) * 1000, usedMs: Number(used) * 1000 }
}

/** The value of the first cookie of this name in a request. */
export function readCookie(headers: HeaderList, name: string): string | undefined {
  const cookies = headers.joined('cookie')
  if (cookies === undefined || !cookies.includes(name)) return undefined
  // Several fields were joined by a comma, which no cookie holds.
  for (const pair of cookies.split(/[;,]/)) {
    const equals = pair.indexOf('=')
    if (equals !== -1 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim()
  }
  return undefined
}
