/** What becomes of a request to a service's port: the rules of its routes, or its split, or its own endpoints. Pure. */
import type { Finding } from './finding.ts'
import { keyOf, type MeshModel } from './mesh-model.ts'
import type { Route, RouteBackend, RouteMatch, Service } from './objects.ts'
import { own, type Rule, type WeightedBackend } from './rule.ts'
import { splitRules } from './split.ts'

export type Routing = { readonly rules: readonly Rule[]; readonly findings: readonly Finding[] }

function routeBackends(
  model: MeshModel,
  route: Route,
  backends: readonly RouteBackend[],
  findings: Finding[],
): WeightedBackend[] {
  const object = `HTTPRoute ${keyOf(route.namespace, route.name)}`
  return backends.map(({ namespace, service, port, weight, unsupported }) => {
    const key = keyOf(namespace, service)
    const found = unsupported ? undefined : model.service(key)
    if (found?.ports.some((candidate) => candidate.port === port) === true)
      return { backend: { key, port }, weight }
    findings.push({
      code: 'BACKEND_UNKNOWN',
      object,
      message: `backend '${key}:${port}' is no port of a Service; its share gets 500`,
    })
    return { backend: undefined, weight }
  })
}

/** How specific a match is, as the Gateway API orders them: exact path, then longest prefix, method, headers, queries. */
function specificity({ match }: Rule): readonly number[] {
  if (match === undefined) return [0, 0, 0, 0, 0]
  const kind = { exact: 3, prefix: 2, regex: 1 }[match.path.kind]
  return [
    kind,
    match.path.value.length,
    match.method === undefined ? 0 : 1,
    match.headers.length,
    match.query.length,
  ]
}

function moreSpecificFirst(a: Rule, b: Rule): number {
  const [left, right] = [specificity(a), specificity(b)]
  for (let i = 0; i < left.length; i++)
    if (left[i] !== right[i]) return (right[i] as number) - (left[i] as number)
  return 0
}

/** GAMMA: routes on a Service replace its own behaviour; a request that none matches gets 404. */
function byRoutes(model: MeshModel, serviceKey: string, port: number): Routing | undefined {
  const routes = model.routes(serviceKey, port)
  if (routes.length === 0) return undefined
  const findings: Finding[] = []
  const rules = routes.flatMap((route) =>
    route.rules.flatMap((rule, r) => {
      const backends = routeBackends(model, route, rule.backends, findings)
      const name = `httproute/${route.namespace}/${route.name}/${r}`
      const matches: readonly (RouteMatch | undefined)[] =
        rule.matches.length === 0 ? [undefined] : rule.matches
      return matches.map((match): Rule => ({ name, match, backends, timeoutMs: rule.timeoutMs }))
    }),
  )
  return { rules: rules.toSorted(moreSpecificFirst), findings }
}

/** The routing of one port of a service. On one Service, a route beats a split. */
export function routingOf(model: MeshModel, service: Service, port: number): Routing {
  const key = keyOf(service.namespace, service.name)
  const byRoute = byRoutes(model, key, port)
  if (byRoute !== undefined) return byRoute
  return { rules: splitRules(model, key, port) ?? [own(key, port)], findings: [] }
}
