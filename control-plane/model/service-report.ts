/** A Service as people ask for it: its ports, the rules of the routes in force there, and the pods behind it. Pure. */
import { keyOf, type MeshModel } from './mesh-model.ts'
import { type MissingEndpoints, missingEndpoints } from './missing-endpoints.ts'
import type { Service, ServicePort } from './objects.ts'
import type { RouteKind } from './route.ts'

export type RuleReport = {
  readonly kind: RouteKind
  /** `namespace/name` of the route. */
  readonly route: string
  /** Its name, or its place among the route's rules. */
  readonly rule: string
  readonly backends: readonly {
    readonly namespace: string
    readonly service: string
    readonly port: number
    /** Share of the rule's requests that it should get. */
    readonly sharePercent: number
  }[]
}

export type ServiceReport = {
  readonly namespace: string
  readonly name: string
  /** What it is another name for; undefined: it has endpoints. */
  readonly externalName: string | undefined
  readonly ports: readonly {
    readonly name: string
    readonly port: number
    readonly readyEndpoints: number
    /** Why there are none; undefined: there are, or it is another name for something. */
    readonly missing: MissingEndpoints['reason'] | undefined
    /** Of all routes that count for clients of every namespace; empty: its split or its own endpoints serve it. */
    readonly rules: readonly RuleReport[]
  }[]
  /** Names of the pods, of its own namespace, that may be sent to. */
  readonly pods: readonly string[]
}

function rulesOf(model: MeshModel, serviceKey: string, port: number): readonly RuleReport[] {
  return model.routes(serviceKey, port).flatMap((route) =>
    route.rules.map(({ name, backends }, place) => {
      const total = backends.reduce((sum, { weight }) => sum + weight, 0)
      return {
        kind: route.kind,
        route: keyOf(route.namespace, route.name),
        rule: name ?? String(place),
        backends: backends.map(({ weight, namespace, service, port: backendPort }) => ({
          namespace,
          service,
          port: backendPort,
          sharePercent: total === 0 ? 0 : (100 * weight) / total,
        })),
      }
    }),
  )
}

function portReport(
  model: MeshModel,
  { namespace, name: serviceName, externalName }: Service,
  { name, port }: ServicePort,
): ServiceReport['ports'][number] {
  const key = keyOf(namespace, serviceName)
  const readyEndpoints = model.endpoints(key, name).length
  const missing = externalName === undefined ? missingEndpoints(model, key, name)?.reason : undefined
  return { name, port, readyEndpoints, missing, rules: rulesOf(model, key, port) }
}

/** What there is to say of one Service of the model. */
export function serviceReport(model: MeshModel, service: Service): ServiceReport {
  const { namespace, name, externalName } = service
  const key = keyOf(namespace, name)
  const pods = service.ports.flatMap((port) =>
    model.endpoints(key, port.name).flatMap(({ workload }) => workload?.name ?? []),
  )
  return {
    namespace,
    name,
    externalName,
    ports: service.ports.map((port) => portReport(model, service, port)),
    pods: [...new Set(pods)].toSorted(),
  }
}
