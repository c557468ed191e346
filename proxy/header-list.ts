/**
 * Header fields as one flat list [name, value, name, value ...]: names in the case they came in, values without the
 * white space around them, all latin1. A list, because order and repetition carry meaning and maps are slow to build.
 */
export type HeaderList = string[]

/** The first value of `lowerName` (given in lower case), or undefined. */
export function headerValue(headers: HeaderList, lowerName: string): string | undefined {
  const length = lowerName.length
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string
    if (name.length === length && (name === lowerName || name.toLowerCase() === lowerName))
      return headers[i + 1]
  }
  return undefined
}

/** All values of `lowerName` joined by `, ` (RFC 9110 5.3), or undefined when there is none. */
export function joinedHeaderValue(headers: HeaderList, lowerName: string): string | undefined {
  let joined: string | undefined
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string
    if (name.length !== lowerName.length || name.toLowerCase() !== lowerName) continue
    joined = joined === undefined ? (headers[i + 1] as string) : `${joined}, ${headers[i + 1]}`
  }
  return joined
}

/** Replaces every occurrence of `lowerName` by one at the place of the first, or appends it as `name`. */
export function setHeader(headers: HeaderList, lowerName: string, value: string, name = lowerName): void {
  for (let i = 0; i < headers.length; i += 2) {
    const present = headers[i] as string
    if (present.length === lowerName.length && present.toLowerCase() === lowerName) {
      headers[i + 1] = value
      removeHeader(headers, lowerName, i + 2)
      return
    }
  }
  headers.push(name, value)
}

/** Removes every occurrence of `lowerName` from the index `from` on. */
export function removeHeader(headers: HeaderList, lowerName: string, from = 0): void {
  let kept = from
  for (let i = from; i < headers.length; i += 2) {
    const name = headers[i] as string
    if (name.length === lowerName.length && name.toLowerCase() === lowerName) continue
    headers[kept] = name
    headers[kept + 1] = headers[i + 1] as string
    kept += 2
  }
  headers.length = kept
}
