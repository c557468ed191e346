/** A name that our encoder writes, with what is to be done with its fields. */
import { connectionNames, isTrailers } from './header-field.ts'
import { ownName } from './own-strings.ts'
import { staticNames } from './static-table.ts'

/**
 * `free`: indexed where that pays. `secret`: a literal that no hop may index (RFC 7541 7.1.3), for others may write to
 * the same table and see how long their guesses get. `omit`: HTTP/2 has no such field. `host`: `omit` beside an
 * `:authority`.
 */
export type Treatment = 'free' | 'secret' | 'omit' | 'host'

export type SentName = {
  /** In lower case. */
  readonly text: string
  /** Its index in the static table; 0: none. */
  readonly index: number
  /** Indexes of the static table by value. */
  readonly values: ReadonlyMap<string, number> | undefined
  readonly treatment: Treatment | 'te' | 'cookie'
}

/** Credentials that do not change from request to request, and could be guessed. */
const secretNames: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'set-cookie',
  'x-api-key',
  'x-auth-token',
  'x-access-token',
  'x-csrf-token',
  'x-amz-security-token',
])
/** A shorter cookie can be guessed (nghttp2's bound). */
const shortCookie = 20

function treatmentOf(text: string): SentName['treatment'] {
  if (text === 'te' || text === 'cookie' || text === 'host') return text
  if (connectionNames.has(text) || text === 'http2-settings') return 'omit'
  return secretNames.has(text) ? 'secret' : 'free'
}

/** Bounded, and only names: shared by all connections. */
const slotCount = 256
const slots: (SentName | undefined)[] = Array.from({ length: slotCount }, () => undefined)

/** `text` in lower case. */
export function sentName(text: string): SentName {
  const { length } = text
  const slot =
    (length * 37 + text.charCodeAt(0) * 5 + text.charCodeAt(length - 1) * 11 + text.charCodeAt(length >> 1)) &
    (slotCount - 1)
  const known = slots[slot]
  if (known !== undefined && known.text === text) return known
  const listed = staticNames.get(text)
  const name: SentName = {
    text: ownName(text),
    index: listed?.index ?? 0,
    values: listed?.values,
    treatment: treatmentOf(text),
  }
  slots[slot] = name
  return name
}

/** What is to be done with this field. */
export function treatment(name: SentName, value: string): Treatment {
  switch (name.treatment) {
    case 'te':
      return isTrailers(value) ? 'free' : 'omit'
    case 'cookie':
      return value.length < shortCookie ? 'secret' : 'free'
    case 'free':
    case 'secret':
    case 'omit':
    case 'host':
      return name.treatment
  }
}
