import type { WatchedKind } from '../watched-kind.ts'

export const trafficTargets: WatchedKind = {
  kind: 'TrafficTarget',
  group: 'access.smi-spec.io',
  plural: 'traffictargets',
  versions: ['v1alpha4', 'v1alpha3', 'v1alpha2', 'v1alpha1'],
  builtIn: false,
}
