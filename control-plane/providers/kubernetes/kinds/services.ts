import type { WatchedKind } from '../watched-kind.ts'

export const services: WatchedKind = {
  kind: 'Service',
  group: '',
  plural: 'services',
  versions: ['v1'],
  builtIn: true,
}
