/** Reads a parsed object field by field; everything that is wrong is collected with its path, nothing is thrown. */

export type Path = readonly (string | number)[]
export type FieldProblem = { readonly path: Path; readonly problem: string }

/** `spec.backends[1].weight` */
export function formatPath(path: Path): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${part}`))
    .join('')
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

  #isObject(): boolean {
    return typeof this.#value === 'object' && this.#value !== null && !Array.isArray(this.#value)
  }
}
