import type { WatchedKind } from '../watched-kind.ts'

export const trafficSplits: WatchedKind = {
  kind: 'TrafficSplit',
  group: 'split.smi-spec.io',
  plural: 'trafficsplits',
  versions: ['v1alpha4', 'v1alpha3', 'v1alpha2', 'v1alpha1'],
  builtIn: false,
}
