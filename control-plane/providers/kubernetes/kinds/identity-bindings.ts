import type { WatchedKind } from '../watched-kind.ts'

export const identityBindings: WatchedKind = {
  kind: 'IdentityBinding',
  group: 'access.smi-spec.io',
  plural: 'identitybindings',
  versions: ['v1alpha4'],
  builtIn: false,
}
