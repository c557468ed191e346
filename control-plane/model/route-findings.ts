/** What somebody has to know about the routes of a service. */
import type { Finding } from './finding.ts'
import { keyOf, type MeshModel } from './mesh-model.ts'
import type { Service } from './objects.ts'
import type { Route } from './route.ts'
import { ruleProblem } from './route-problems.ts'
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

/** The Gateway API gives requests that nobody is there for a 500, and its conditions do not speak of it. */
function emptyRuleFindings(route: Route): readonly Finding[] {
  const object = `${route.kind} ${keyOf(route.namespace, route.name)}`
  return route.rules.flatMap((routeRule, place) => {
    const { name, filters, backends } = routeRule
    const isNamedAlready = ruleProblem(routeRule) !== undefined
    if (isNamedAlready || filters.some(({ kind }) => kind === 'redirect')) return []
    const rule = `rule ${name ?? place}`
    if (backends.length === 0)
      return [{ code: 'RULE_WITHOUT_BACKEND', object, message: `${rule} has no backend: 500` }]
    return backends.every(({ weight }) => weight === 0)
      ? [{ code: 'ALL_WEIGHTS_ZERO', object, message: `every backend of ${rule} weighs 0: 500` }]
      : []
  })
}

export function routeFindings(model: MeshModel, serviceKey: string): readonly Finding[] {
  const ofStatus = model.routesNaming(serviceKey).flatMap((route) => {
    const object = `${route.kind} ${keyOf(route.namespace, route.name)}`
    const conditions = routeStatus(model, route).parents.flatMap((parent) => parent.conditions)
    return conditions
      .filter(isTrouble)
      .map(({ reason, message }) => ({ code: codes[reason] ?? reason, object, message }))
  })
  const ofRules = model.routesNaming(serviceKey).flatMap(emptyRuleFindings)
  return [...ofStatus, ...ofRules, ...opaqueFindings(model, serviceKey)]
}
