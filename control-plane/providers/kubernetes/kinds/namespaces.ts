import type { WatchedKind } from '../watched-kind.ts'

export const namespaces: WatchedKind = {
  kind: 'Namespace',
  group: '',
  plural: 'namespaces',
  versions: ['v1'],
  builtIn: true,
}
