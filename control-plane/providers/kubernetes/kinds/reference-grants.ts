import type { WatchedKind } from '../watched-kind.ts'

export const referenceGrants: WatchedKind = {
  kind: 'ReferenceGrant',
  group: 'gateway.networking.k8s.io',
  plural: 'referencegrants',
  versions: ['v1', 'v1beta1', 'v1alpha2'],
  builtIn: false,
}
