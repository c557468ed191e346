/** Keys and orders that all of the model agrees on. */

export function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`
}

/** The key of the Service that a host name means; undefined: a host outside of the mesh. */
export function serviceKeyOfHost(host: string): string | undefined {
  const match = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.cluster\.local)?\.?$/.exec(host)
  return match === null ? undefined : keyOf(match[2] as string, match[1] as string)
}

export function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** By creation, then by name, so that every replica decides alike. */
export function oldestFirst<
  T extends { readonly createdMs: number | undefined; readonly namespace: string; readonly name: string },
>(objects: readonly T[]): readonly T[] {
  return objects.toSorted(
    (a, b) =>
      (a.createdMs ?? 0) - (b.createdMs ?? 0) ||
      compareText(keyOf(a.namespace, a.name), keyOf(b.namespace, b.name)),
  )
}
