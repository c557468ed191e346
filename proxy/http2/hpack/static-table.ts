/** The static table (RFC 7541 Appendix A), for reading by index and for writing by name and value. */
import { fieldName, HeaderField } from './header-field.ts'

// biome-ignore format: one entry after the other
const entries: readonly (readonly [name: string, value: string])[] = [
  [':authority', ''], [':method', 'GET'], [':method', 'POST'], [':path', '/'], [':path', '/index.html'],
  [':scheme', 'http'], [':scheme', 'https'], [':status', '200'], [':status', '204'], [':status', '206'],
  [':status', '304'], [':status', '400'], [':status', '404'], [':status', '500'], ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'], ['accept-language', ''], ['accept-ranges', ''], ['accept', ''],
  ['access-control-allow-origin', ''], ['age', ''], ['allow', ''], ['authorization', ''], ['cache-control', ''],
  ['content-disposition', ''], ['content-encoding', ''], ['content-language', ''], ['content-length', ''],
  ['content-location', ''], ['content-range', ''], ['content-type', ''], ['cookie', ''], ['date', ''], ['etag', ''],
  ['expect', ''], ['expires', ''], ['from', ''], ['host', ''], ['if-match', ''], ['if-modified-since', ''],
  ['if-none-match', ''], ['if-range', ''], ['if-unmodified-since', ''], ['last-modified', ''], ['link', ''],
  ['location', ''], ['max-forwards', ''], ['proxy-authenticate', ''], ['proxy-authorization', ''], ['range', ''],
  ['referer', ''], ['refresh', ''], ['retry-after', ''], ['server', ''], ['set-cookie', ''],
  ['strict-transport-security', ''], ['transfer-encoding', ''], ['user-agent', ''], ['vary', ''], ['via', ''],
  ['www-authenticate', ''],
]

/** The entry with index i stands at i - 1. */
export const staticFields: readonly HeaderField[] = entries.map(
  ([name, value]) => new HeaderField(fieldName(name), value, undefined),
)

/** What the static table says about a name. */
export type StaticName = {
  /** The lowest index with this name. */
  readonly index: number
  /** Indexes by value, where there is more than the empty one. */
  readonly values: ReadonlyMap<string, number> | undefined
}

/** By name. */
export const staticNames: ReadonlyMap<string, StaticName> = (() => {
  const names = new Map<string, { index: number; values: Map<string, number> | undefined }>()
  for (const [i, [name, value]] of entries.entries()) {
    const known = names.get(name) ?? { index: i + 1, values: undefined }
    names.set(name, known)
    if (value !== '') known.values = (known.values ?? new Map<string, number>()).set(value, i + 1)
  }
  return names
})()
