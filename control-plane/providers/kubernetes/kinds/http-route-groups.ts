import type { WatchedKind } from '../watched-kind.ts'

export const httpRouteGroups: WatchedKind = {
  kind: 'HTTPRouteGroup',
  group: 'specs.smi-spec.io',
  plural: 'httproutegroups',
  versions: ['v1alpha4', 'v1alpha3', 'v1alpha2', 'v1alpha1'],
  builtIn: false,
}
