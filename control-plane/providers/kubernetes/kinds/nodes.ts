import type { WatchedKind } from '../watched-kind.ts'

/** For the zones of the pods on them. */
export const nodes: WatchedKind = {
  kind: 'Node',
  group: '',
  plural: 'nodes',
  versions: ['v1'],
  builtIn: true,
}
