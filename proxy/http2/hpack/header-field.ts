/** A field as it stands in a table: what was found out about it once is known each time it is referred to. */
import { tokenTable, valueTable } from '../../http1/characters.ts'
import { entryOverheadBytes } from './dynamic-table.ts'
import { ownName } from './own-strings.ts'

/** Where a field of this name goes in a message. */
export type FieldRole =
  | 'regular'
  | 'te'
  | 'method'
  | 'scheme'
  | 'authority'
  | 'path'
  | 'status'
  | 'protocol'
  | 'unknown'

/** A name, with why it must not be in a message (RFC 9113 8.2). */
export type FieldName = {
  readonly text: string
  readonly role: FieldRole
  readonly fault: string | undefined
}

const roles: ReadonlyMap<string, FieldRole> = new Map<string, FieldRole>([
  [':method', 'method'],
  [':scheme', 'scheme'],
  [':authority', 'authority'],
  [':path', 'path'],
  [':status', 'status'],
  [':protocol', 'protocol'],
  ['te', 'te'],
])

/** What a hop says to the next one in HTTP/1 (RFC 9113 8.2.2). */
export const connectionNames: ReadonlySet<string> = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
])

function nameFault(text: string): string | undefined {
  if (text === '') return 'empty field name'
  if (connectionNames.has(text)) return 'connection-specific field'
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 0x41 && code <= 0x5a) return 'upper-case field name'
    if (tokenTable[code] !== 1) return 'malformed field name'
  }
  return undefined
}

/** Takes a name as it was on the wire. */
export function fieldName(onWire: string): FieldName {
  const text = ownName(onWire)
  if (text.startsWith(':')) {
    const role = roles.get(text) ?? 'unknown'
    return { text, role, fault: role === 'unknown' ? 'unknown pseudo-header field' : undefined }
  }
  return { text, role: roles.get(text) ?? 'regular', fault: nameFault(text) }
}

const space = 0x20
const tab = 0x09

/** Why bytes[from, to) are no field value (RFC 9113 8.2.1, and no other controls either); undefined: they are. */
export function valueFault(bytes: Uint8Array, from: number, to: number): string | undefined {
  for (let i = from; i < to; i++) if (valueTable[bytes[i] as number] !== 1) return 'malformed field value'
  if (from === to) return undefined
  const first = bytes[from]
  const last = bytes[to - 1]
  if (first === space || first === tab || last === space || last === tab)
    return 'white space around a field value'
  return undefined
}

export class HeaderField {
  readonly name: FieldName
  readonly value: string
  /** As tables and lists count it (RFC 7541 4.1). */
  readonly size: number
  /** Why a message with it is malformed; undefined: it is fine. */
  readonly fault: string | undefined

  /** `fault`: what `valueFault` said. */
  constructor(name: FieldName, value: string, fault: string | undefined) {
    this.name = name
    this.value = value
    this.size = name.text.length + value.length + entryOverheadBytes
    this.fault = name.fault ?? fault ?? (name.role === 'te' ? teFault(value) : undefined)
  }
}

/** `trailers` is all that TE may say (RFC 9113 8.2.2). */
function teFault(value: string): string | undefined {
  return isTrailers(value) ? undefined : 'te other than trailers'
}

export function isTrailers(value: string): boolean {
  return value === 'trailers' || value.toLowerCase() === 'trailers'
}
