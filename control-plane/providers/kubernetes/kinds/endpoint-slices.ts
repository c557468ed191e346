import type { WatchedKind } from '../watched-kind.ts'

export const endpointSlices: WatchedKind = {
  kind: 'EndpointSlice',
  group: 'discovery.k8s.io',
  plural: 'endpointslices',
  versions: ['v1'],
  builtIn: true,
  // The others belong to no Service.
  labelSelector: 'kubernetes.io/service-name',
}
