/** Which object something is about, as Events name it. Pure. */

export type ObjectReference = {
  readonly apiVersion: string
  readonly kind: string
  /** Empty for what is in none. */
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

type Fields = Readonly<Record<string, unknown>>

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** What the object says of itself; empty texts for what it does not say. */
export function referenceOf(object: unknown): ObjectReference {
  const { apiVersion, kind, metadata } = (object ?? {}) as Fields
  const { namespace, name, uid } = (metadata ?? {}) as Fields
  return {
    apiVersion: textOf(apiVersion),
    kind: textOf(kind),
    namespace: textOf(namespace),
    name: textOf(name),
    uid: textOf(uid),
  }
}
