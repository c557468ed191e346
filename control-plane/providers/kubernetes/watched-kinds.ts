/** Every kind that is read from the API server. ServiceAccounts are not: who somebody is, their token proves. */
import { accessPolicies } from './kinds/access-policies.ts'
import { endpointSlices } from './kinds/endpoint-slices.ts'
import { grpcRoutes } from './kinds/grpc-routes.ts'
import { httpRouteGroups } from './kinds/http-route-groups.ts'
import { httpRoutes } from './kinds/http-routes.ts'
import { identityBindings } from './kinds/identity-bindings.ts'
import { namespaces } from './kinds/namespaces.ts'
import { nodes } from './kinds/nodes.ts'
import { pods } from './kinds/pods.ts'
import { referenceGrants } from './kinds/reference-grants.ts'
import { services } from './kinds/services.ts'
import { tcpRoutes } from './kinds/tcp-routes.ts'
import { trafficPolicies } from './kinds/traffic-policies.ts'
import { trafficSplits } from './kinds/traffic-splits.ts'
import { trafficTargets } from './kinds/traffic-targets.ts'
import type { WatchedKind } from './watched-kind.ts'

export const watchedKinds: readonly WatchedKind[] = [
  namespaces,
  nodes,
  services,
  endpointSlices,
  pods,
  trafficSplits,
  httpRouteGroups,
  tcpRoutes,
  httpRoutes,
  grpcRoutes,
  referenceGrants,
  trafficPolicies,
  accessPolicies,
  trafficTargets,
  identityBindings,
]
