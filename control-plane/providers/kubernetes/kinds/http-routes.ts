import type { WatchedKind } from '../watched-kind.ts'

export const httpRoutes: WatchedKind = {
  kind: 'HTTPRoute',
  group: 'gateway.networking.k8s.io',
  plural: 'httproutes',
  versions: ['v1', 'v1beta1'],
  builtIn: false,
}
