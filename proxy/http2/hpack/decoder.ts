/** Reads header blocks (RFC 7541) of one direction of one connection. */
import { Buffer } from 'node:buffer'
import { BlockCache, type BlockTrace } from './block-cache.ts'
import { DynamicTable, initialTableBytes } from './dynamic-table.ts'
import { HeaderBlock } from './header-block.ts'
import { type FieldName, fieldName, HeaderField, valueFault } from './header-field.ts'
import { HpackError } from './hpack-error.ts'
import { huffmanDecode, decodeRoom } from './huffman-decode.ts'
import { knownName, rememberName } from './literal-names.ts'
import { staticFields } from './static-table.ts'

export type ListLimits = {
  /** Names and values of one block, and 32 octets for each field (RFC 9113 6.5.2). */
  readonly maxListBytes: number
  readonly maxFields: number
}

/** More is no index, no length and no size that we would take; fewer octets than a shift by 32 bits would need. */
const maxInteger = 2 ** 28
const maxIntegerOctets = 5
/** Lowest and final (RFC 7541 4.2): nobody has a reason for a third. */
const maxSizeUpdates = 2

const indexedPattern = 0x80
const insertedPattern = 0x40
const sizeUpdatePattern = 0x20
const neverIndexedPattern = 0x10

/** What Huffman-coded strings are decoded into, one after the other; longer ones get memory of their own. */
const scratch = Buffer.allocUnsafeSlow(16 * 1024)
const nothing = Buffer.alloc(0)

export class HpackDecoder {
  readonly #table = new DynamicTable<HeaderField>()
  readonly #cache = new BlockCache(this.#table)
  readonly #limits: ListLimits
  /** The most that the peer may set the table to. */
  #maxTableBytes: number
  /** What is being read. */
  #bytes: Buffer = nothing
  #at = 0
  #end = 0
  #trace: BlockTrace | undefined
  /** Where the string is that was read last, and whether it is Huffman-coded there. */
  #coded = false
  #stringFrom = 0
  /** The same, decoded. */
  #text: Buffer = nothing
  #textFrom = 0
  #textTo = 0

  /**
   * `maxTableBytes` is our SETTINGS_HEADER_TABLE_SIZE. Before the peer has acknowledged it, it may use 4096: a smaller
   * one holds from `setMaxTableBytes` on.
   */
  constructor(maxTableBytes: number, limits: ListLimits) {
    this.#maxTableBytes = Math.max(maxTableBytes, initialTableBytes)
    this.#limits = limits
  }

  /**
   * The peer has acknowledged this SETTINGS_HEADER_TABLE_SIZE of ours. Where its table is larger, its next block has to
   * begin by making it smaller (RFC 9113 4.3.1).
   */
  setMaxTableBytes(bytes: number): void {
    this.#maxTableBytes = bytes
  }

  /**
   * Decodes bytes[start, end), one complete block. What is given back is shared and must not be changed. Throws
   * HpackError: after `list-too-large` the table is in step and decoding may go on, after `compression` it may not.
   */
  decode(bytes: Buffer, start: number, end: number): HeaderBlock {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
    this.#takeSizeUpdates()
    const from = this.#at
    const known = this.#cache.find(bytes, from, end)
    if (known !== undefined) return known
    const trace = (this.#trace = this.#cache.trace(end - from))
    const block = this.#takeFields()
    if (trace !== undefined) this.#cache.keep(bytes, from, end, trace, block)
    return block
  }

  #takeSizeUpdates(): void {
    let updates = 0
    while (this.#at < this.#end && isSizeUpdate(this.#bytes[this.#at] as number)) {
      if (++updates > maxSizeUpdates) throw broken('too many table size updates')
      const size = this.#takeInteger(5)
      if (size > this.#maxTableBytes) throw broken('table size above our setting')
      this.#table.resize(size)
      this.#cache.clear()
    }
    if (this.#table.maxBytes > this.#maxTableBytes) throw broken('table not made smaller')
  }

  #takeFields(): HeaderBlock {
    const { maxListBytes, maxFields } = this.#limits
    const block = new HeaderBlock()
    let listBytes = 0
    let fields = 0
    while (this.#at < this.#end) {
      const first = this.#bytes[this.#at] as number
      if (isSizeUpdate(first)) throw broken('table size update behind a field')
      const field = this.#takeField(first)
      listBytes += field.size
      // Beyond a limit everything is still read, for the table's sake, and nothing kept.
      if (++fields > maxFields || listBytes > maxListBytes) continue
      block.take(field)
      if ((first & 0xf0) === neverIndexedPattern) block.keepUnindexed(field)
    }
    if (fields > maxFields) throw new HpackError('list-too-large', 'too many header fields')
    if (listBytes > maxListBytes) throw new HpackError('list-too-large', 'header fields are too large')
    block.listBytes = listBytes
    return block
  }

  #takeField(first: number): HeaderField {
    if ((first & indexedPattern) !== 0) return this.#lookUp(this.#takeInteger(7))
    const inserted = (first & insertedPattern) !== 0
    const index = this.#takeInteger(inserted ? 6 : 4)
    const name = index === 0 ? this.#takeName() : this.#lookUp(index).name
    this.#takeString()
    this.#decodeString()
    const fault = valueFault(this.#text, this.#textFrom, this.#textTo)
    const field = new HeaderField(name, this.#text.latin1Slice(this.#textFrom, this.#textTo), fault)
    if (inserted) {
      this.#table.add(field)
      this.#trace?.insert(field, this.#table)
    }
    return field
  }

  #lookUp(index: number): HeaderField {
    if (index <= staticFields.length) return staticFields[index - 1] ?? noEntry()
    const age = index - staticFields.length - 1
    const field = this.#table.at(age) ?? noEntry()
    this.#trace?.refer(age, field)
    return field
  }

  #takeName(): FieldName {
    this.#takeString()
    const bytes = this.#bytes
    const known = knownName(bytes, this.#stringFrom, this.#at, this.#coded)
    if (known !== undefined) return known
    this.#decodeString()
    const name = fieldName(this.#text.latin1Slice(this.#textFrom, this.#textTo))
    rememberName(bytes, this.#stringFrom, this.#at, this.#coded, name)
    return name
  }

  /** Steps over a string literal. */
  #takeString(): void {
    if (this.#at >= this.#end) throw broken('block ends within a field')
    this.#coded = ((this.#bytes[this.#at] as number) & 0x80) !== 0
    const length = this.#takeInteger(7)
    if (length > this.#end - this.#at) throw broken('string longer than its block')
    this.#stringFrom = this.#at
    this.#at += length
  }

  /** Decodes the string literal that ends here into #text. */
  #decodeString(): void {
    const from = this.#stringFrom
    const to = this.#at
    if (!this.#coded) {
      this.#text = this.#bytes
      this.#textFrom = from
      this.#textTo = to
      return
    }
    const room = decodeRoom(to - from)
    this.#text = room <= scratch.length ? scratch : Buffer.allocUnsafe(room)
    this.#textFrom = 0
    this.#textTo = huffmanDecode(this.#bytes, from, to, this.#text)
    if (this.#textTo < 0) throw broken('malformed Huffman code')
  }

  /** Reads an integer whose first octet has `prefixBits` of it (RFC 7541 5.1). */
  #takeInteger(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1
    let value = (this.#bytes[this.#at++] as number) & mask
    if (value < mask) return value
    let factor = 1
    for (let octets = 0; octets < maxIntegerOctets && this.#at < this.#end; octets++) {
      const octet = this.#bytes[this.#at++] as number
      value += (octet & 0x7f) * factor
      factor *= 128
      if (octet >= 0x80) continue
      if (value > maxInteger) break
      return value
    }
    throw broken('malformed integer')
  }
}

function isSizeUpdate(first: number): boolean {
  return (first & 0xe0) === sizeUpdatePattern
}

function noEntry(): never {
  throw broken('index of no entry')
}

function broken(message: string): HpackError {
  return new HpackError('compression', message)
}
