import type { WatchedKind } from '../watched-kind.ts'

export const grpcRoutes: WatchedKind = {
  kind: 'GRPCRoute',
  group: 'gateway.networking.k8s.io',
  plural: 'grpcroutes',
  versions: ['v1'],
  builtIn: false,
}
