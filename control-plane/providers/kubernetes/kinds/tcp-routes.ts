import type { WatchedKind } from '../watched-kind.ts'

/** SMI's; the Gateway API's kind of the same name is of another group. */
export const tcpRoutes: WatchedKind = {
  kind: 'TCPRoute',
  group: 'specs.smi-spec.io',
  plural: 'tcproutes',
  versions: ['v1alpha4', 'v1alpha3', 'v1alpha2', 'v1alpha1'],
  builtIn: false,
}
