/** What somebody has to know about the routes of a service. */
import type { Finding } from './finding.ts'
import { keyOf, type MeshModel } from './mesh-model.ts'
import type { Service } from './objects.ts'
import { isTrouble, routeStatus } from './route-status.ts'
import { isOpaque } from './tcp-routing.ts'

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

/** Bytes that nobody looks into are no requests: nothing of the route counts for redirected connections. */
function opaqueFindings(model: MeshModel, serviceKey: string): readonly Finding[] {
  const service = model.service(serviceKey)
  return (service?.ports ?? [])
    .filter((port) => isOpaque(model, service as Service, port))
    .flatMap(({ port }) =>
      model.routes(serviceKey, port).map(({ kind, namespace, name }) => ({
        code: 'ROUTE_ON_OPAQUE_PORT',
        object: `${kind} ${keyOf(namespace, name)}`,
        message: `port ${port} of '${serviceKey}' is opaque (opaque-ports, or its appProtocol): connections are passed on unread, and no route counts for them`,
      })),
    )
}

export function routeFindings(model: MeshModel, serviceKey: string): readonly Finding[] {
  const ofStatus = model.routesNaming(serviceKey).flatMap((route) => {
    const object = `${route.kind} ${keyOf(route.namespace, route.name)}`
    const conditions = routeStatus(model, route).parents.flatMap((parent) => parent.conditions)
    return conditions
      .filter(isTrouble)
      .map(({ reason, message }) => ({ code: codes[reason] ?? reason, object, message }))
  })
  return [...ofStatus, ...opaqueFindings(model, serviceKey)]
}
