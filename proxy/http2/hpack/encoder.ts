/** Writes header blocks (RFC 7541) of one direction of one connection. */
import type { Buffer } from 'node:buffer'
import { DynamicTable, initialTableBytes } from './dynamic-table.ts'
import { noNames } from './header-block.ts'
import { Place, type SentField, SentFields } from './sent-fields.ts'
import { type SentName, type Treatment, treatment } from './sent-name.ts'
import { staticFields } from './static-table.ts'
import { writeInteger, writePlain, writeShortest } from './write-literal.ts'

/** What a block is appended to. */
export interface BlockBuffer {
  bytes: Buffer
  /** Where the next octet goes. */
  length: number
  /** Makes room for `n` more octets, in the same `bytes` or in others. */
  ensure(n: number): void
}

/** Whatever the peer allows: more costs memory for each connection and gains little. */
const mostTableBytes = initialTableBytes
/** Of the table, in quarters, that one entry may take: a larger one would push out everything else. */
const mostEntryQuarters = 3
/** In how many blocks one entry that is in use may be pushed out by another field that is. */
const pushOutEvery = 16

const literalPattern = 0x00
const neverIndexedPattern = 0x10
const sizeUpdatePattern = 0x20
const insertedPattern = 0x40
const indexedPattern = 0x80

export class HpackEncoder {
  readonly #table = new DynamicTable<SentField>()
  readonly #fields = new SentFields()
  #blocks = 0
  #nextPushOut = 0
  /** What the peer's settings made of the table since our last block. */
  #smallestBytes = mostTableBytes
  #tableBytes = mostTableBytes
  /** What is being written. */
  #bytes: Buffer | undefined
  #at = 0
  #neverIndexed: readonly string[] = noNames
  #pseudo: readonly string[] = noNames

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. The next block says what we make of it: the smallest, then the final one. */
  setMaxTableBytes(bytes: number): void {
    this.#tableBytes = Math.min(bytes, mostTableBytes)
    this.#smallestBytes = Math.min(this.#tableBytes, this.#smallestBytes)
  }

  /**
   * Appends to `into` the block of `pseudo`, then `fields`: [name, value, name, value ...], values latin1 and valid,
   * names of pseudo-headers in lower case and others in any. Left out is what HTTP/2 has not: connection-specific
   * fields, TE but for `trailers`, and Host beside an `:authority`. Fields named in `neverIndexed` (lower case) came
   * never-indexed and are sent so. Fields of the same block may come in several calls, pseudo-headers with the first.
   */
  encode(
    pseudo: readonly string[],
    fields: readonly string[],
    into: BlockBuffer,
    neverIndexed: readonly string[] = noNames,
  ): void {
    into.ensure(mostBytes(pseudo) + mostBytes(fields))
    this.#blocks++
    this.#bytes = into.bytes
    this.#at = into.length
    this.#neverIndexed = neverIndexed
    this.#pseudo = pseudo
    this.#writeSizeUpdates()
    const line = this.#fields.line(pseudo.length + fields.length)
    let place = 0
    for (let i = 0; i < pseudo.length; i += 2)
      this.#write(pseudo[i] as string, pseudo[i + 1] as string, line, place++)
    for (let i = 0; i < fields.length; i += 2)
      this.#write(fields[i] as string, fields[i + 1] as string, line, place++)
    into.length = this.#at
    this.#bytes = undefined
    this.#pseudo = this.#neverIndexed = noNames
  }

  #writeSizeUpdates(): void {
    if (this.#smallestBytes < this.#table.maxBytes) this.#resize(this.#smallestBytes)
    if (this.#tableBytes !== this.#table.maxBytes) this.#resize(this.#tableBytes)
    this.#smallestBytes = this.#tableBytes
  }

  #resize(bytes: number): void {
    this.#table.resize(bytes)
    this.#writeInteger(sizeUpdatePattern, 5, bytes)
  }

  #write(name: string, value: string, line: Place[], at: number): void {
    const place = (line[at] ??= new Place())
    const expected = place.field
    if (expected !== undefined && expected.value === value && expected.name.text === name) {
      this.#writeAgain(expected)
      return
    }
    const sent = place.nameFor(name)
    if (place.expectsStranger(this.#blocks)) {
      this.#writeOnce(sent, value)
      return
    }
    const field = place.found(this.#fields.find(sent, value))
    if (field !== undefined) this.#writeAgain(field)
    else this.#writeOnce(sent, value)
  }

  /** A field that was not there before, as far as we know: perhaps it never will be again. */
  #writeOnce(name: SentName, value: string): void {
    const what = treatment(name, value)
    if (this.#leavesOut(what)) return
    if (what === 'secret' || this.#neverIndexed.includes(name.text)) {
      this.#writeLiteral(neverIndexedPattern, name, value)
      return
    }
    const index = name.values?.get(value)
    if (index !== undefined) this.#writeInteger(indexedPattern, 7, index)
    else this.#writeLiteral(literalPattern, name, value)
  }

  #writeAgain(field: SentField): void {
    if (field.treatment === 'free' && this.#neverIndexed.length === 0) {
      const index = this.#indexOf(field)
      if (index === 0) this.#writeUnindexed(field)
      else this.#writeInteger(indexedPattern, 7, index)
    } else this.#writeWithCare(field)
    field.lastBlock = this.#blocks
  }

  #writeWithCare(field: SentField): void {
    if (this.#leavesOut(field.treatment)) return
    if (field.treatment === 'secret' || this.#neverIndexed.includes(field.name.text)) {
      this.#writeLiteral(neverIndexedPattern, field.name, field.value)
      return
    }
    const index = this.#indexOf(field)
    if (index === 0) this.#writeUnindexed(field)
    else this.#writeInteger(indexedPattern, 7, index)
  }

  /** Where a table has it; 0: nowhere. */
  #indexOf(field: SentField): number {
    if (field.staticIndex !== 0) return field.staticIndex
    const { inserted, count } = this.#table
    return field.insertion > inserted - count ? staticFields.length + 1 + inserted - field.insertion : 0
  }

  #leavesOut(what: Treatment): boolean {
    return what === 'omit' || (what === 'host' && this.#pseudo.includes(':authority'))
  }

  #writeUnindexed(field: SentField): void {
    if (!this.#isWorthAnEntry(field)) {
      this.#writeLiteral(literalPattern, field.name, field.value)
      return
    }
    this.#writeName(insertedPattern, 6, field.name)
    this.#at = writeShortest(this.#bytes as Buffer, this.#at, field.value)
    this.#table.add(field)
    field.insertion = this.#table.inserted
  }

  /**
   * Whether it fits, pushing out nothing but what was used longer ago than itself: of more fields than fit, taken in
   * turn, so many stay, and do not push each other out. What is used all the time may now and then push out its like,
   * for behind that may be what nobody uses any more.
   */
  #isWorthAnEntry({ size, lastBlock }: SentField): boolean {
    const table = this.#table
    if (size * 4 > table.maxBytes * mostEntryQuarters) return false
    let free = table.maxBytes - table.bytes
    for (let age = table.count - 1; free < size; age--) {
      const oldest = table.at(age) as SentField
      if (oldest.lastBlock >= lastBlock) return this.#blocks - lastBlock <= pushOutEvery && this.#mayPushOut()
      free += oldest.size
    }
    return true
  }

  #mayPushOut(): boolean {
    if (this.#blocks < this.#nextPushOut) return false
    this.#nextPushOut = this.#blocks + pushOutEvery
    return true
  }

  #writeLiteral(pattern: number, name: SentName, value: string): void {
    this.#writeName(pattern, 4, name)
    this.#at = writePlain(this.#bytes as Buffer, this.#at, value)
  }

  #writeName(pattern: number, prefixBits: number, name: SentName): void {
    this.#writeInteger(pattern, prefixBits, name.index)
    if (name.index === 0) this.#at = writePlain(this.#bytes as Buffer, this.#at, name.text)
  }

  #writeInteger(pattern: number, prefixBits: number, value: number): void {
    this.#at = writeInteger(this.#bytes as Buffer, this.#at, pattern, prefixBits, value)
  }
}

/** The most octets that integers in one field take, and two size updates. */
const integersPerField = 12

/** The most that a block of these fields takes. */
function mostBytes(fields: readonly string[]): number {
  let bytes = integersPerField
  for (let i = 0; i < fields.length; i++) bytes += (fields[i] as string).length + integersPerField
  return bytes
}
