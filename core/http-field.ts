/** What configuration may write into a message: RFC 9110's grammar, and nothing that frames a message or ends at a hop. */

const token = /^[0-9A-Za-z!#$%&'*+.^_`|~-]{1,256}$/
/** Field-vchar, space and tab; no obs-text, as configuration is UTF-8 and the wire is latin1. */
const value = /^(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?$/
/** RFC 3986 3.3, and absolute. */
const path = /^\/(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})*$/
/** A DNS name or an address, without a port. */
const host = /^(?:\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z](?:[-0-9A-Za-z.]{0,251}[0-9A-Za-z])?)$/

/** They frame the message, or end at the next hop: to change them is to break it. */
const untouchable = new Set([
  'connection',
  'content-length',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Whether it may be a field's name or a method. */
export function isToken(text: string): boolean {
  return token.test(text)
}

/** Why a header of this name may not be set, added or removed; undefined: it may. */
export function fieldNameProblem(name: string): string | undefined {
  if (!token.test(name)) return 'must be a header name (letters, digits and -)'
  const lower = name.toLowerCase()
  if (untouchable.has(lower)) return `'${lower}' frames the message and cannot be changed`
  return lower === 'host' ? "'host' is changed by a rewrite of the host name" : undefined
}

/** Why this cannot be a header's value; undefined: it can. */
export function fieldValueProblem(text: string): string | undefined {
  if (value.test(text)) return undefined
  return 'must be printable ASCII without spaces at its ends: anything else could end the header'
}

/** Why this cannot be written into a request line as its path; undefined: it can. */
export function pathProblem(text: string): string | undefined {
  return path.test(text) ? undefined : 'must be a path: / and characters that need no escaping'
}

/** Why this cannot be a host's name; undefined: it can. */
export function hostProblem(text: string): string | undefined {
  return host.test(text) ? undefined : 'must be the name or address of a host, without a port'
}
