import type { WatchedKind } from '../watched-kind.ts'

export const pods: WatchedKind = {
  kind: 'Pod',
  group: '',
  plural: 'pods',
  versions: ['v1'],
  builtIn: true,
  // Those that ended stay for long where Jobs run; one that ends arrives as deleted.
  fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed',
}
