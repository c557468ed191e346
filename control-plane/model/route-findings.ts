/** What somebody has to know about the routes of a service. */
import type { Finding } from './finding.ts'
import { keyOf, type MeshModel } from './mesh-model.ts'
import { isTrouble, routeStatus } from './route-status.ts'

/** The conditions' reasons, as the log names them. */
const codes: Readonly<Record<string, string>> = {
  NoMatchingParent: 'ROUTE_PARENT_UNKNOWN',
  Conflicted: 'ROUTE_CONFLICTED',
  UnsupportedValue: 'ROUTE_VALUE_UNSUPPORTED',
  IncompatibleFilters: 'ROUTE_FILTERS_INCOMPATIBLE',
  BackendNotFound: 'BACKEND_UNKNOWN',
  InvalidKind: 'BACKEND_UNSUPPORTED',
  RefNotPermitted: 'BACKEND_NOT_PERMITTED',
}

export function routeFindings(model: MeshModel, serviceKey: string): readonly Finding[] {
  return model.routesNaming(serviceKey).flatMap((route) => {
    const object = `${route.kind} ${keyOf(route.namespace, route.name)}`
    const conditions = routeStatus(model, route).parents.flatMap((parent) => parent.conditions)
    return conditions
      .filter(isTrouble)
      .map(({ reason, message }) => ({ code: codes[reason] ?? reason, object, message }))
  })
}
