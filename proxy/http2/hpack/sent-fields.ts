/** The fields that one encoder has written more than once: only these are worth an entry of the table. */
import { entryOverheadBytes } from './dynamic-table.ts'
import { ownValue } from './own-strings.ts'
import { type SentName, sentName, type Treatment, treatment } from './sent-name.ts'

export class SentField {
  readonly name: SentName
  readonly value: string
  readonly size: number
  readonly treatment: Treatment
  /** Its index in the static table, name and value; 0: none. */
  readonly staticIndex: number
  /** Its number in the dynamic table; 0: it has never been there. */
  insertion = 0
  /** The last block with it, by number. */
  lastBlock = 0

  constructor(name: SentName, value: string) {
    this.name = name
    this.value = ownValue(value)
    this.size = name.text.length + value.length + entryOverheadBytes
    this.treatment = treatment(name, value)
    this.staticIndex = name.values?.get(value) ?? 0
  }
}

const slotCount = 128
/** Longer ones are not worth their memory. */
const mostChars = 2048

/** Hashes a name and a value into 32 bits. */
function hashOf(name: string, value: string): number {
  let hash = name.length
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x0100_0193)
  for (let i = 0; i < value.length; i++) hash = Math.imul(hash ^ value.charCodeAt(i), 0x0100_0193)
  return hash ^ (hash >>> 16)
}

/** Lists of as many fields look alike: what was at each place of the last one is tried first. */
const lineCount = 16
/** After so many new values one after the other at a place, the next is expected to be new as well: an id, a time. */
const manyStrangers = 8
/** In how many blocks such a place is looked up all the same. */
const lookUpEvery = 16

/** What was written at one place of the last list of its kind. */
export class Place {
  name: SentName | undefined = undefined
  /** undefined: its value was new. */
  field: SentField | undefined = undefined
  /** The name as it was given, in whatever case. */
  #written = ''
  /** How many values in a row were new. */
  #strangers = 0

  /** `name` as it is sent. */
  nameFor(name: string): SentName {
    if (this.name !== undefined && this.#written === name) return this.name
    const lower = name.toLowerCase()
    const sent = sentName(lower)
    // Not the name itself, which may be a part of a long text.
    this.#written = name === lower ? sent.text : ownValue(name)
    this.name = sent
    this.#strangers = 0
    return sent
  }

  /** Whether a look-up in the block of this number would most likely find nothing. */
  expectsStranger(block: number): boolean {
    return this.#strangers >= manyStrangers && block % lookUpEvery !== 0
  }

  found(field: SentField | undefined): SentField | undefined {
    this.#strangers = field === undefined ? this.#strangers + 1 : 0
    this.field = field
    return field
  }
}

/** Each field has two places to be at, so that no two that are used all the time keep pushing each other out. */
export class SentFields {
  readonly #slots: (SentField | undefined)[] = Array.from({ length: slotCount }, () => undefined)
  /** By place, the hash of a field that came once: what is written once takes nobody's place. */
  readonly #seen = new Int32Array(slotCount)
  readonly #lines: Place[][] = Array.from({ length: lineCount }, () => [])

  /** What the last list of as many strings had at its places. */
  line(strings: number): Place[] {
    return this.#lines[(strings >> 1) & (lineCount - 1)] as Place[]
  }

  /** The field, from its second time on; undefined: it is here for the first time. */
  find(sent: SentName, value: string): SentField | undefined {
    const name = sent.text
    if (name.length + value.length > mostChars) return undefined
    const hash = hashOf(name, value)
    const first = hash & (slotCount - 1)
    const second = (hash >>> 8) & (slotCount - 1)
    const one = this.#slots[first]
    if (one !== undefined && one.value === value && one.name.text === name) return one
    const other = this.#slots[second]
    if (other !== undefined && other.value === value && other.name.text === name) return other
    if (this.#seen[first] !== hash && this.#seen[second] !== hash) {
      this.#seen[this.#seen[first] === 0 ? first : second] = hash
      return undefined
    }
    const again = new SentField(sent, value)
    const older = one === undefined || (other !== undefined && one.lastBlock <= other.lastBlock)
    this.#slots[older ? first : second] = again
    return again
  }
}
