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

/** Each field has two places to be at, so that no two that are used all the time keep pushing each other out. */
export class SentFields {
  readonly #slots: (SentField | undefined)[] = Array.from({ length: slotCount }, () => undefined)
  /** By place, the hash of a field that came once: what is written once takes nobody's place. */
  readonly #seen = new Int32Array(slotCount)
  readonly #lines: (SentField | undefined)[][] = Array.from({ length: lineCount }, () => [])

  /** What the last list of as many strings had at its places. */
  line(strings: number): (SentField | undefined)[] {
    return this.#lines[(strings >> 1) & (lineCount - 1)] as (SentField | undefined)[]
  }

  /** The field, from its second time on; undefined: it is here for the first time. `name` in lower case. */
  find(name: string, value: string): SentField | undefined {
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
    const again = new SentField(sentName(name), value)
    const older = one === undefined || (other !== undefined && one.lastBlock <= other.lastBlock)
    this.#slots[older ? first : second] = again
    return again
  }
}
