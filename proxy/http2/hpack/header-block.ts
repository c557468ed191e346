/** One header block, decoded: the pseudo-headers, the fields, and whether it may be a message at all. */
import type { HeaderField } from './header-field.ts'

/** No field came never-indexed: the usual case. */
export const noNames: readonly string[] = []

/** Must not be changed by those who are given it: blocks of equal bytes may be one and the same object. */
export class HeaderBlock {
  /** Pseudo-headers, undefined where there is none. Their values are as they came. */
  method: string | undefined = undefined
  scheme: string | undefined = undefined
  authority: string | undefined = undefined
  path: string | undefined = undefined
  status: string | undefined = undefined
  protocol: string | undefined = undefined
  /**
   * The first reason why the block is no message (RFC 9113 8.2, 8.3); undefined: none. Whether the pseudo-headers are
   * those of a request, of a reply or of trailers is for the codec to see.
   */
  malformed: string | undefined = undefined
  /** Lower-case names of fields that came never-indexed, and have to be sent on so (RFC 7541 6.2.3). */
  neverIndexed: readonly string[] = noNames
  /** Of names and values, and 32 for each field (RFC 9113 6.5.2). */
  listBytes = 0
  /** For the codec, to keep what it made of this block. */
  memo: unknown = undefined
  readonly #fields: string[] = []

  /** Fields that are no pseudo-headers in their order: [name, value, name, value ...], latin1. */
  get fields(): readonly string[] {
    return this.#fields
  }

  /** For the decoder: the next field. */
  take(field: HeaderField): void {
    const { name, fault } = field
    if (fault !== undefined) this.malformed ??= fault
    if (name.role === 'regular') {
      this.#fields.push(name.text, field.value)
      return
    }
    if (name.role === 'te') {
      if (this.#has('te')) this.malformed ??= 'te other than trailers'
      this.#fields.push(name.text, field.value)
      return
    }
    if (this.#fields.length > 0) this.malformed ??= 'pseudo-header field after a regular one'
    this.#takePseudo(field)
  }

  /** For the decoder: `field` came never-indexed. */
  keepUnindexed(field: HeaderField): void {
    const { text } = field.name
    if (!this.neverIndexed.includes(text)) this.neverIndexed = [...this.neverIndexed, text]
  }

  #takePseudo({ name, value }: HeaderField): void {
    const { role } = name
    if (role === 'unknown' || role === 'regular' || role === 'te') return
    if (this[role] !== undefined) this.malformed ??= 'pseudo-header field twice'
    this[role] = value
  }

  #has(name: string): boolean {
    for (let i = 0; i < this.#fields.length; i += 2) if (this.#fields[i] === name) return true
    return false
  }
}
