import type { WatchedKind } from '../watched-kind.ts'

export const trafficPolicies: WatchedKind = {
  kind: 'TrafficPolicy',
  group: 'weft.dev',
  plural: 'trafficpolicies',
  versions: ['v1alpha1'],
  builtIn: false,
}
