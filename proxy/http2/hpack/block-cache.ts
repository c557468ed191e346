/**
 * Blocks that come again octet for octet, decoded once. What such a block refers to in the dynamic table has to be what
 * it was, and what it inserted is inserted again: a peer that inserts the same fields with every message, and never
 * refers to them (nginx), would else change the table each time.
 */
import type { Buffer } from 'node:buffer'
import type { DynamicTable } from './dynamic-table.ts'
import type { HeaderBlock } from './header-block.ts'
import type { HeaderField } from './header-field.ts'

const slotCount = 32
/** Longer ones are those of a connection's first messages, or worth no memory. */
const mostBytes = 512

/** What a block did to the table, and took from it, while it was decoded. */
export class BlockTrace {
  /** Entries that were there before the block, by how old they were then. */
  readonly ages: number[] = []
  readonly entries: HeaderField[] = []
  readonly inserted: HeaderField[] = []
  /** Whether doing the same again is the same. */
  repeatable = true

  /** The block refers to `entry`, which is `age` entries older than the newest. */
  refer(age: number, entry: HeaderField): void {
    const ageBefore = age - this.inserted.length
    // An entry of the block itself.
    if (ageBefore < 0) return
    // Whether an insertion before it has pushed it out depends on what else there is.
    if (this.inserted.length > 0) this.repeatable = false
    this.ages.push(ageBefore)
    this.entries.push(entry)
  }

  insert(entry: HeaderField, table: DynamicTable<HeaderField>): void {
    if (entry.size > table.maxBytes) this.repeatable = false
    this.inserted.push(entry)
  }
}

class CachedBlock {
  readonly hash: number
  readonly bytes: Uint8Array
  readonly trace: BlockTrace
  readonly block: HeaderBlock

  constructor(hash: number, bytes: Uint8Array, trace: BlockTrace, block: HeaderBlock) {
    this.hash = hash
    this.bytes = bytes
    this.trace = trace
    this.block = block
  }
}

export class BlockCache {
  readonly #table: DynamicTable<HeaderField>
  readonly #slots: (CachedBlock | undefined)[] = Array.from({ length: slotCount }, () => undefined)
  /** By place, the hash of the last block that was not the one there: only what comes twice is kept. */
  readonly #seen = new Int32Array(slotCount)
  #hash = 0

  constructor(table: DynamicTable<HeaderField>) {
    this.#table = table
  }

  /** What bytes[from, to) were decoded to before, with the table as it would be by now; or undefined. */
  find(bytes: Buffer, from: number, to: number): HeaderBlock | undefined {
    if (to - from > mostBytes) return undefined
    const hash = (this.#hash = hashOf(bytes, from, to))
    const cached = this.#slots[hash & (slotCount - 1)]
    if (cached === undefined || cached.hash !== hash || !isEqual(cached.bytes, bytes, from, to))
      return undefined
    const { ages, entries, inserted } = cached.trace
    for (let i = 0; i < ages.length; i++)
      if (this.#table.at(ages[i] as number) !== entries[i]) return undefined
    for (let i = 0; i < inserted.length; i++) this.#table.add(inserted[i] as HeaderField)
    return cached.block
  }

  /** What to write down while the block is decoded that was not found just now; undefined: it will not be kept. */
  trace(length: number): BlockTrace | undefined {
    if (length > mostBytes) return undefined
    const slot = this.#hash & (slotCount - 1)
    if (this.#seen[slot] === this.#hash) return new BlockTrace()
    this.#seen[slot] = this.#hash
    return undefined
  }

  keep(bytes: Buffer, from: number, to: number, trace: BlockTrace, block: HeaderBlock): void {
    if (!trace.repeatable) return
    const copy = Uint8Array.from(bytes.subarray(from, to))
    this.#slots[this.#hash & (slotCount - 1)] = new CachedBlock(this.#hash, copy, trace, block)
  }

  /** What fits is another number of entries now. */
  clear(): void {
    this.#slots.fill(undefined)
    this.#seen.fill(0)
  }
}

/** Four octets a step: the multiplication is what takes time. */
function hashOf(bytes: Buffer, from: number, to: number): number {
  let hash = to - from
  let i = from
  for (; i + 3 < to; i += 4) {
    const four =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24)
    hash = Math.imul(hash ^ four, 0x0100_0193)
    hash ^= hash >>> 15
  }
  for (; i < to; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x0100_0193)
  return hash ^ (hash >>> 15)
}

function isEqual(own: Uint8Array, bytes: Buffer, from: number, to: number): boolean {
  if (own.length !== to - from) return false
  for (let i = 0; i < own.length; i++) if (own[i] !== bytes[from + i]) return false
  return true
}
