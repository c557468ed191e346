/** Reads a parsed object field by field; everything that is wrong is collected with its path, nothing is thrown. */
import { parseDurationMs } from '../../core/duration.ts'

/** Longer ones are mistakes; and timers above 2^31 ms would fire at once. */
const dayMs = 86_400_000

export type Path = readonly (string | number)[]
export type FieldProblem = { readonly path: Path; readonly problem: string }

/** `spec.backends[1].weight` */
export function formatPath(path: Path): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${part}`))
    .join('')
}

/** `spec.backends[1].weight: is required` */
export function formatProblem({ path, problem }: FieldProblem): string {
  return `${formatPath(path)}: ${problem}`
}

export class FieldReader {
  readonly path: Path
  readonly #value: unknown
  readonly #problems: FieldProblem[]

  constructor(value: unknown, problems: FieldProblem[], path: Path = []) {
    this.#value = value
    this.#problems = problems
    this.path = path
  }

  get present(): boolean {
    return this.#value !== undefined && this.#value !== null
  }

  get raw(): unknown {
    return this.#value
  }

  problem(text: string): void {
    this.#problems.push({ path: this.path, problem: text })
  }

  /** The field `key`; reading on in what is no object reads absent fields. */
  at(key: string): FieldReader {
    const value = this.#isObject() ? (this.#value as Record<string, unknown>)[key] : undefined
    return new FieldReader(value, this.#problems, [...this.path, key])
  }

  /** The entries of a list; absent reads as empty. */
  list(): readonly FieldReader[] {
    if (!this.present) return []
    if (!Array.isArray(this.#value)) {
      this.problem('must be a list')
      return []
    }
    return this.#value.map((entry, i) => new FieldReader(entry, this.#problems, [...this.path, i]))
  }

  string(): string | undefined {
    if (!this.present) return undefined
    if (typeof this.#value === 'string') return this.#value
    this.problem('must be a string')
    return undefined
  }

  requiredString(): string {
    const value = this.string()
    if (value === undefined && !this.present) this.problem('is required')
    return value ?? ''
  }

  boolean(): boolean | undefined {
    if (!this.present) return undefined
    if (typeof this.#value === 'boolean') return this.#value
    this.problem('must be true or false')
    return undefined
  }

  port(): number | undefined {
    if (!this.present) return undefined
    const value = this.#value
    if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535) return value
    this.problem('must be a port, 1 to 65535')
    return undefined
  }

  /** A map of strings (labels, annotations). */
  strings(): Readonly<Record<string, string>> {
    if (!this.present) return {}
    if (!this.#isObject()) {
      this.problem('must be a map')
      return {}
    }
    const entries = Object.entries(this.#value as object)
    for (const [key, value] of entries)
      if (typeof value !== 'string') this.at(key).problem('must be a string (quote it)')
    return Object.fromEntries(
      entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    )
  }

  choice<T extends string>(choices: readonly T[]): T | undefined {
    const value = this.string()
    if (value === undefined) return undefined
    if ((choices as readonly string[]).includes(value)) return value as T
    this.problem(`must be one of ${choices.join(', ')}`)
    return undefined
  }

  /** The name of a header field, in lower case. */
  headerName(): string {
    const name = this.requiredString()
    if (name !== '' && !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) this.problem('is no header name')
    return name.toLowerCase()
  }

  /** A whole number as annotations have it: text. */
  integerText(min: number, max: number): number | undefined {
    const text = this.string()
    if (text === undefined) return undefined
    const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : -1
    if (value >= min && value <= max) return value
    this.problem(`must be a whole number, ${min} to ${max}`)
    return undefined
  }

  /** A number from `min` to `max`, both included. */
  number(min: number, max: number): number | undefined {
    if (!this.present) return undefined
    const value = this.#value
    if (typeof value === 'number' && value >= min && value <= max) return value
    this.problem(`must be a number, ${min} to ${max}`)
    return undefined
  }

  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number | undefined {
    if (!this.present) return undefined
    const value = this.#value
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
    this.problem(`must be a whole number, ${min} to ${max}`)
    return undefined
  }

  /** A duration of at most a day, in milliseconds; zero only where `zero` allows it. */
  durationMs(zero: 'zero' | 'positive' = 'positive'): number | undefined {
    const text = this.string()
    if (text === undefined) return undefined
    const ms = parseDurationMs(text)
    if (ms === undefined || ms > dayMs) this.problem('must be a duration of at most 24h, such as 2s or 500ms')
    else if (ms === 0 && zero === 'positive') this.problem('must be longer than zero')
    else return ms
    return undefined
  }

  /** Reports every field that is not one of `names`: a misspelt one would be ignored without a word. */
  only(names: readonly string[]): void {
    if (!this.present) return
    if (!this.#isObject()) {
      this.problem('must be a map')
      return
    }
    for (const key of Object.keys(this.#value as object))
      if (!names.includes(key)) this.at(key).problem(`is not known; known are ${names.join(', ')}`)
  }

  #isObject(): boolean {
    return typeof this.#value === 'object' && this.#value !== null && !Array.isArray(this.#value)
  }
}
