import type { WatchedKind } from '../watched-kind.ts'

export const accessPolicies: WatchedKind = {
  kind: 'AccessPolicy',
  group: 'weft.dev',
  plural: 'accesspolicies',
  versions: ['v1alpha1'],
  builtIn: false,
}
