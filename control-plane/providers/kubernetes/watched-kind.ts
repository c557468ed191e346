/** A kind of objects that the mesh reads from the API server: what its files under kinds/ say. */
export type WatchedKind = {
  readonly kind: string
  /** Empty for the core group. */
  readonly group: string
  readonly plural: string
  /** Those that can be read, the preferred one first. */
  readonly versions: readonly string[]
  /** Part of every cluster; what is not may come and go with its CustomResourceDefinition. */
  readonly builtIn: boolean
  readonly labelSelector?: string
  readonly fieldSelector?: string
}

export function apiVersionOf({ group }: WatchedKind, version: string): string {
  return group === '' ? version : `${group}/${version}`
}

/** The path of all of a cluster's objects of that kind. */
export function pathOf(kind: WatchedKind, version: string): string {
  return `${kind.group === '' ? '/api' : `/apis/${kind.group}`}/${version}/${kind.plural}`
}
