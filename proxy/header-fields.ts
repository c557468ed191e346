/**
 * Header fields as HTTP/2 carries them: names and values one by one. Messages that come with the same fields again and
 * again share one array, which nobody changes: who does gets a copy. To the layers it is a HeaderList like any other, and
 * to HTTP/1 it gives the lines it is written as.
 */
import { type BodyLength, chunked } from './body.ts'
import { bitOf, HeaderList, spells } from './header-list.ts'

/** What a decoder found; shared by all messages that came the same. */
export type FieldSource = {
  /** Flat: name, value, name, value ...; names in lower case. */
  readonly fields: readonly string[]
  /** The `nameBit` of every name. */
  readonly mask: number
  /** The `:authority` of a request, which HTTP/1 knows as Host. */
  readonly authority: string | undefined
  /** Names of fields that may be in no table on any hop. */
  readonly neverIndexed: readonly string[]
}

/** Its length is said by a field, or there is none. */
export const framed = -3

const hostBit = bitOf('host')
const lengthBit = bitOf('content-length')
const chunkedBit = bitOf('transfer-encoding')
/** Of this hop alone; whoever writes HTTP/1 writes its own. */
const hopNames = new Set(['te', 'expect', 'http2-settings'])

/** What is added here is kept as a HeaderList keeps it: as lines. */
export class HeaderFields extends HeaderList {
  readonly source: FieldSource
  #fields: readonly string[]
  /** The `nameBit` of every name that came or is implied. */
  #mask: number
  #authority: string | undefined
  #framing: BodyLength

  /** `framing`: how HTTP/1 is to find the body's end where no field says so: by chunks, or after so many bytes. */
  constructor(source: FieldSource, framing: BodyLength) {
    super()
    this.source = source
    this.#fields = source.fields
    this.#mask = source.mask
    this.#authority = source.authority
    this.#framing = framing
    if (source.authority !== undefined) this.#mask |= hostBit
    if (framing !== framed) this.#mask |= framing === chunked ? chunkedBit : lengthBit
  }

  /** What came, changed or not; the same array as long as it was not. */
  get fields(): readonly string[] {
    return this.#fields
  }

  /** Puts fields of the same names, in the same order, in the place of those that came. */
  replaceFields(fields: readonly string[]): void {
    this.#fields = fields
  }

  /** What was added, each field with its CRLF. */
  get addedLines(): string {
    return super.lines
  }

  get authority(): string | undefined {
    return this.#authority
  }

  override copy(): HeaderFields {
    const copy = new HeaderFields(this.source, this.#framing)
    copy.#fields = this.#fields
    copy.#mask = this.#mask
    copy.#authority = this.#authority
    copy.appendLines(super.lines, everyName)
    return copy
  }

  override get lines(): string {
    let lines = this.#authority === undefined ? '' : `host: ${this.#authority}\r\n`
    lines += linesOf(this.#fields) + super.lines
    if (this.#framing === chunked) lines += 'transfer-encoding: chunked\r\n'
    else if (this.#framing !== framed) lines += `content-length: ${this.#framing}\r\n`
    return lines
  }

  override get(lowerName: string): string | undefined {
    if ((this.#mask & bitOf(lowerName)) === 0) return super.get(lowerName)
    return valueOf(this.#fields, lowerName) ?? super.get(lowerName) ?? this.#implied(lowerName)
  }

  override has(lowerName: string): boolean {
    return this.get(lowerName) !== undefined
  }

  override mayHave(mask: number): boolean {
    return (this.#mask & mask) !== 0 || super.mayHave(mask)
  }

  override joined(lowerName: string): string | undefined {
    const values = (this.#mask & bitOf(lowerName)) === 0 ? [] : valuesOf(this.#fields, lowerName)
    const added = super.joined(lowerName)
    if (added !== undefined) values.push(added)
    return values.length === 0 ? this.#implied(lowerName) : values.join(', ')
  }

  override set(lowerName: string, value: string, name = lowerName): void {
    if (lowerName === 'host' && this.#authority !== undefined) {
      this.#authority = value
      return
    }
    if (lowerName === 'content-length') this.#framing = framed
    const came = (this.#mask & bitOf(lowerName)) !== 0 && valueOf(this.#fields, lowerName) !== undefined
    if (!came) {
      super.set(lowerName, value, name)
      return
    }
    this.#fields = replaced(this.#fields, lowerName, value)
    super.remove(lowerName)
  }

  override remove(lowerName: string): void {
    super.remove(lowerName)
    if ((this.#mask & bitOf(lowerName)) === 0) return
    if (lowerName === 'host') this.#authority = undefined
    if (lowerName === 'transfer-encoding' && this.#framing === chunked) this.#framing = framed
    if (lowerName === 'content-length' && this.#framing >= 0) this.#framing = framed
    if (valueOf(this.#fields, lowerName) !== undefined)
      this.#fields = replaced(this.#fields, lowerName, undefined)
  }

  override spelled(lowerName: string): string[] {
    const added = super.spelled(lowerName)
    if ((this.#mask & bitOf(lowerName)) === 0) return added
    const fields = this.#fields
    return [...fields.filter((_, i) => i % 2 === 1 && spells(fields[i - 1] as string, lowerName)), ...added]
  }

  override removeSpelled(lowerName: string): void {
    super.removeSpelled(lowerName)
    if ((this.#mask & bitOf(lowerName)) === 0) return
    for (const name of new Set(this.#fields.filter((_, i) => i % 2 === 0)))
      if (spells(name, lowerName)) this.#fields = replaced(this.#fields, name, undefined)
  }

  override entries(): string[] {
    const host = this.#authority === undefined ? [] : ['host', this.#authority]
    return [...host, ...this.#fields, ...super.entries()]
  }

  /** What no field says, but HTTP/1 would. */
  #implied(lowerName: string): string | undefined {
    if (lowerName === 'host') return this.#authority
    if (lowerName === 'transfer-encoding') return this.#framing === chunked ? 'chunked' : undefined
    const known = lowerName === 'content-length' && this.#framing >= 0
    return known ? String(this.#framing) : undefined
  }
}

const everyName = -1

function linesOf(fields: readonly string[]): string {
  let lines = ''
  for (let i = 0; i < fields.length; i += 2)
    if (!hopNames.has(fields[i] as string)) lines += `${fields[i]}: ${fields[i + 1]}\r\n`
  return lines
}

function valueOf(fields: readonly string[], name: string): string | undefined {
  const at = nameAt(fields, name, 0)
  return at === -1 ? undefined : fields[at + 1]
}

function valuesOf(fields: readonly string[], name: string): string[] {
  return fields.filter((_, i) => i % 2 === 1 && fields[i - 1] === name)
}

/** `fields` with one field of this name at the place of the first, or without any. */
function replaced(fields: readonly string[], name: string, value: string | undefined): string[] {
  const at = nameAt(fields, name, 0)
  if (value === undefined || nameAt(fields, name, at + 2) !== -1) return replacedAll(fields, name, value)
  // The usual case, as long as it has to be.
  const next = fields.slice()
  next[at + 1] = value
  return next
}

function nameAt(fields: readonly string[], name: string, from: number): number {
  for (let i = from; i < fields.length; i += 2) if (fields[i] === name) return i
  return -1
}

function replacedAll(fields: readonly string[], name: string, value: string | undefined): string[] {
  const next: string[] = []
  let wanted = value
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== name) {
      next.push(fields[i] as string, fields[i + 1] as string)
    } else if (wanted !== undefined) {
      next.push(name, wanted)
      wanted = undefined
    }
  }
  return next
}
