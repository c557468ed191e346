/**
 * Header fields as the lines that they will be written as: `Name: value CRLF`, in their order, names in the case they
 * came in, latin1. What nobody looks at is never taken apart; a proxy forwards most fields unread.
 */
export class HeaderList {
  #lines: string
  /** A bit for each name that may be there: a look-up of an absent field, the usual case, costs one test. */
  #mask: number

  /** `lines` must be canonical, each ending in CRLF; `mask` holds the `nameBit` of every name in them. */
  constructor(lines = '', mask = 0) {
    this.#lines = lines
    this.#mask = mask
  }

  /** Of names and values that are valid already: [name, value, name, value ...]. */
  static of(...fields: readonly string[]): HeaderList {
    const list = new HeaderList()
    for (let i = 0; i < fields.length; i += 2) list.append(fields[i] as string, fields[i + 1] as string)
    return list
  }

  /** Another list of the same fields. */
  copy(): HeaderList {
    return new HeaderList(this.#lines, this.#mask)
  }

  /** Every line, each ending in CRLF. */
  get lines(): string {
    return this.#lines
  }

  /** The first value of `lowerName` (given in lower case), or undefined. */
  get(lowerName: string): string | undefined {
    const at = this.find(lowerName)
    return at === -1 ? undefined : this.#valueAt(at + lowerName.length)
  }

  has(lowerName: string): boolean {
    return this.find(lowerName) !== -1
  }

  /** False: none of the names is there whose `nameBit` is in `mask`. */
  mayHave(mask: number): boolean {
    return (this.#mask & mask) !== 0
  }

  /** All values of `lowerName` joined by `, ` (RFC 9110 5.3), or undefined when there is none. */
  joined(lowerName: string): string | undefined {
    let joined: string | undefined
    for (let at = this.find(lowerName); at !== -1; at = this.find(lowerName, this.#lineAfter(at))) {
      const value = this.#valueAt(at + lowerName.length)
      joined = joined === undefined ? value : `${joined}, ${value}`
    }
    return joined
  }

  /** Adds a field at the end. Name and value must be valid: nothing is checked here. */
  append(name: string, value: string): void {
    this.#lines += `${name}: ${value}\r\n`
    this.#mask |= bitOf(name)
  }

  /** Adds fields as they are written, each with its CRLF; `mask` holds the `nameBit` of their names. */
  appendLines(lines: string, mask: number): void {
    this.#lines += lines
    this.#mask |= mask
  }

  /** Replaces every occurrence of `lowerName` by one at the place of the first, or appends it as `name`. */
  set(lowerName: string, value: string, name = lowerName): void {
    const at = this.find(lowerName)
    if (at === -1) {
      this.append(name, value)
      return
    }
    const lines = this.#lines
    const after = this.#lineAfter(at)
    // Looked for before the text is joined anew: reading that would put it together at once.
    const again = this.find(lowerName, after)
    const before = `${lines.slice(0, at + lowerName.length)}: ${value}\r\n`
    this.#lines = before + lines.slice(after)
    if (again !== -1) this.#removeFrom(lowerName, before.length)
  }

  /** Removes every occurrence of `lowerName`. */
  remove(lowerName: string): void {
    this.#removeFrom(lowerName, 0)
  }

  /** The values of every field that `spells` `lowerName`. */
  spelled(lowerName: string): string[] {
    const values: string[] = []
    for (
      let at = this.#findSpelled(lowerName, 0);
      at !== -1;
      at = this.#findSpelled(lowerName, this.#lineAfter(at))
    )
      values.push(this.#valueAt(at + lowerName.length))
    return values
  }

  /** Removes every field that `spells` `lowerName`. */
  removeSpelled(lowerName: string): void {
    for (let at = this.#findSpelled(lowerName, 0); at !== -1; at = this.#findSpelled(lowerName, at))
      this.#lines = this.#lines.slice(0, at) + this.#lines.slice(this.#lineAfter(at))
  }

  /** Where in `lines` the next line of `lowerName` begins, from the line that begins at `from` on; or -1. */
  find(lowerName: string, from = 0): number {
    const { length } = lowerName
    if ((this.#mask & nameBit(length, lowerName.charCodeAt(0))) === 0) return -1
    const lines = this.#lines
    for (let at = from; at < lines.length; at = this.#lineAfter(at)) {
      if (lines.charCodeAt(at + length) !== colon) continue
      // A token holds no colon, so that equal length and equal letters are the same name.
      const name = lines.slice(at, at + length)
      if (name === lowerName || name.toLowerCase() === lowerName) return at
    }
    return -1
  }

  /** Puts `text`, whole lines, in the place of those from `at` to `to`; which names there are stays the same. */
  replaceLines(at: number, to: number, text: string): void {
    this.#lines = this.#lines.slice(0, at) + text + this.#lines.slice(to)
  }

  /** The fields one by one: [name, value, name, value ...]. */
  entries(): string[] {
    return this.#lines.split('\r\n').flatMap((line) => {
      const colon = line.indexOf(':')
      return colon === -1 ? [] : [line.slice(0, colon), line.slice(colon + 2)]
    })
  }

  #findSpelled(lowerName: string, from: number): number {
    const { length } = lowerName
    if ((this.#mask & nameBit(length, lowerName.charCodeAt(0))) === 0) return -1
    const lines = this.#lines
    for (let at = from; at < lines.length; at = this.#lineAfter(at))
      if (lines.charCodeAt(at + length) === colon && spells(lines.slice(at, at + length), lowerName))
        return at
    return -1
  }

  #removeFrom(lowerName: string, from: number): void {
    for (let at = this.find(lowerName, from); at !== -1; at = this.find(lowerName, at))
      this.#lines = this.#lines.slice(0, at) + this.#lines.slice(this.#lineAfter(at))
  }

  #lineAfter(at: number): number {
    return this.#lines.indexOf('\r\n', at) + 2
  }

  #valueAt(colonAt: number): string {
    return this.#lines.slice(colonAt + 2, this.#lines.indexOf('\r\n', colonAt))
  }
}

const colon = 0x3a

/** CGI and its heirs (WSGI, Rack, PHP) write names with `_` for `-`, and cannot tell the two apart. */
export function spells(name: string, lowerName: string): boolean {
  return name.length === lowerName.length && name.toLowerCase().replaceAll('_', '-') === lowerName
}

/** One of 32 bits, by a name's length and its first letter in either case. */
export function nameBit(length: number, firstCode: number): number {
  return 1 << ((length * 5) ^ (firstCode | 0x20))
}

/** The `nameBit` of `name`. */
export function bitOf(name: string): number {
  return nameBit(name.length, name.charCodeAt(0))
}

/** The `nameBit` of every one of `names`. */
export function maskOf(names: readonly string[]): number {
  return names.reduce((mask, name) => mask | bitOf(name), 0)
}
