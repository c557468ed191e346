/** The difference of two JSON values as a JSON Patch (RFC 6902). Pure. */

export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }

type JsonObject = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** One step of a JSON pointer (RFC 6901): `~` first, or the `~` of `~1` would be escaped again. */
export function escapePointer(step: string): string {
  return step.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** Whether two JSON values are the same, whatever the order of their fields. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((entry, i) => sameJson(entry, b[i]))
  if (!isObject(a) || !isObject(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]))
  )
}

/** Entries with a name are the same one if their names are; others if they are equal. */
function isSameEntry(a: unknown, b: unknown): boolean {
  if (isObject(a) && isObject(b) && typeof a['name'] === 'string') return a['name'] === b['name']
  return sameJson(a, b)
}

/** Where each entry of `before` is in `after`; undefined unless all are there and in the same order. */
function placesIn(before: readonly unknown[], after: readonly unknown[]): readonly number[] | undefined {
  const places: number[] = []
  let from = 0
  for (const entry of before) {
    const place = after.findIndex((other, i) => i >= from && isSameEntry(entry, other))
    if (place < 0) return undefined
    places.push(place)
    from = place + 1
  }
  return places
}

function listPatch(
  before: readonly unknown[],
  after: readonly unknown[],
  path: string,
  into: PatchOperation[],
): void {
  const places = placesIn(before, after)
  if (places === undefined && before.length === after.length) {
    for (const [i, value] of after.entries()) collect(before[i], value, `${path}/${i}`, into)
    return
  }
  if (places === undefined) {
    into.push({ op: 'replace', path, value: after })
    return
  }
  // From the front: whatever stands before an entry is in its final place already.
  let next = 0
  for (const [i, value] of after.entries()) {
    if (places[next] === i) collect(before[next++], value, `${path}/${i}`, into)
    else into.push({ op: 'add', path: `${path}/${i}`, value })
  }
}

function collect(before: unknown, after: unknown, path: string, into: PatchOperation[]): void {
  if (sameJson(before, after)) return
  if (Array.isArray(before) && Array.isArray(after)) return listPatch(before, after, path, into)
  if (!isObject(before) || !isObject(after)) {
    into.push({ op: 'replace', path, value: after })
    return
  }
  for (const key of Object.keys(before)) {
    if (!Object.hasOwn(after, key)) into.push({ op: 'remove', path: `${path}/${escapePointer(key)}` })
  }
  for (const [key, value] of Object.entries(after)) {
    const at = `${path}/${escapePointer(key)}`
    if (Object.hasOwn(before, key)) collect(before[key], value, at, into)
    // The whole value: a parent that is not there is added before, and with, what is in it.
    else into.push({ op: 'add', path: at, value })
  }
}

/** Operations that make `after` of `before`; none when they are the same. A map that is there is never added as a whole. */
export function jsonPatch(before: unknown, after: unknown): readonly PatchOperation[] {
  const operations: PatchOperation[] = []
  collect(before, after, '', operations)
  return operations
}
