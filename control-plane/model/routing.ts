/** What becomes of a request to a service's port: the rules of its routes, or its split, or its own endpoints. Pure. */
import { externalTarget, portOf } from './external-name.ts'
import { keyOf, type MeshModel } from './mesh-model.ts'
import type { RouteMatch, Service } from './objects.ts'
import type { RedirectSettings, Route, RouteBackend, RouteFilter, RouteRule } from './route.ts'
import { backendProblem, referenceProblem, ruleProblem } from './route-problems.ts'
import { own, type Rule, type RuleFilters, type WeightedBackend } from './rule.ts'
import { splitRules } from './split.ts'

export type Routing = { readonly rules: readonly Rule[] }

/** What a route's rules are made for. */
type Context = { readonly model: MeshModel; readonly route: Route; readonly port: number }

const schemePorts = { http: 80, https: 443 } as const

/** A port that is not written is that of the scheme, or else the one that the client came to. */
function withPort(redirect: RedirectSettings, port: number): RedirectSettings {
  const { scheme } = redirect
  return { ...redirect, port: redirect.port ?? (scheme === undefined ? port : schemePorts[scheme]) }
}

/** A copy for a backend that cannot be sent to is left out. */
function mirrorsOf(filters: readonly RouteFilter[], { model, route }: Context): RuleFilters['mirrors'] {
  return filters.flatMap((filter) => {
    if (filter.kind !== 'mirror' || referenceProblem(model, route, filter.to) !== undefined) return []
    const { namespace, service, port } = filter.to
    return [{ backend: { key: keyOf(namespace, service), port }, fraction: filter.fraction }]
  })
}

function filtersOf(filters: readonly RouteFilter[], context: Context): RuleFilters | undefined {
  if (filters.length === 0) return undefined
  let found: RuleFilters = {
    requestHeaders: undefined,
    responseHeaders: undefined,
    host: undefined,
    path: undefined,
    mirrors: mirrorsOf(filters, context),
    redirect: undefined,
  }
  for (const filter of filters) {
    switch (filter.kind) {
      case 'requestHeaders':
      case 'responseHeaders':
        found = { ...found, [filter.kind]: filter.modifier }
        break
      case 'rewrite':
        found = { ...found, host: filter.host, path: filter.path }
        break
      case 'redirect':
        found = { ...found, redirect: withPort(filter.redirect, context.port) }
        break
      case 'mirror':
      case 'unsupported':
        break
    }
  }
  return found
}

function backendOf(backend: RouteBackend, context: Context): WeightedBackend {
  const { namespace, service, port, weight } = backend
  const { model, route } = context
  const spoilt = referenceProblem(model, route, backend) ?? backendProblem(backend)
  if (spoilt !== undefined) return { backend: undefined, weight }
  return {
    backend: { key: keyOf(namespace, service), port },
    weight,
    filters: filtersOf(backend.filters, context),
  }
}

const everything: readonly undefined[] = [undefined]

function rulesOf(rule: RouteRule, r: number, context: Context): readonly Rule[] {
  const { route } = context
  const name = `${route.kind.toLowerCase()}/${route.namespace}/${route.name}/${rule.name ?? r}`
  const { timeoutMs, attemptTimeoutMs, retry, session } = rule
  const fails = ruleProblem(rule) !== undefined
  // Without a backend that could be sent to it fails, as it has to.
  const backends = fails ? [] : rule.backends.map((backend) => backendOf(backend, context))
  const filters = fails ? undefined : filtersOf(rule.filters, context)
  const matches = rule.matches.length === 0 ? everything : rule.matches
  return matches.map((match) => ({
    name,
    match,
    backends,
    filters,
    timeoutMs,
    attemptTimeoutMs,
    retry,
    traffic: route.traffic,
    ...(route.kind === 'GRPCRoute' && { grpc: true }),
    session: session && { ...session, name: session.name ?? sessionNameOf(route, r) },
  }))
}

/** Not the same for any two rules. */
function sessionNameOf({ namespace, name }: Route, r: number): string {
  return `weft-session-${namespace}-${name}-${r}`.replaceAll('.', '-')
}

/** Below a regex, as it says nothing: every path is below `/`. */
function isEverything({ kind, value }: RouteMatch['path']): boolean {
  return kind === 'prefix' && value === '/'
}

const pathRank = { exact: 3, prefix: 2, regex: 1 } as const

/**
 * How specific a match is, as the Gateway API orders them: an exact path, the longest prefix, a method, the most
 * headers, the most query parameters. A regex, of which it says nothing, stands between the prefixes and `/`. The paths
 * of gRPC's methods come by that in their own order: the longest service, then the longest method.
 */
function specificity(match: RouteMatch | undefined): readonly number[] {
  if (match === undefined) return [0, 0, 0, 0, 0]
  const { path, method, headers, query } = match
  const length = path.kind === 'prefix' ? path.value.replace(/\/$/, '').length : (path.rank ?? 0)
  return [
    isEverything(path) ? 0 : pathRank[path.kind],
    length,
    method === undefined ? 0 : 1,
    headers.length,
    query.length,
  ]
}

function moreSpecificFirst(a: Rule, b: Rule): number {
  const [left, right] = [specificity(a.match), specificity(b.match)]
  for (let i = 0; i < left.length; i++)
    if (left[i] !== right[i]) return (right[i] as number) - (left[i] as number)
  return 0
}

/** GAMMA: routes on a Service replace its own behaviour; a request that none matches gets 404. */
function byRoutes(
  model: MeshModel,
  serviceKey: string,
  port: number,
  clientNamespace: string,
): readonly Rule[] | undefined {
  const routes = model.routes(serviceKey, port, clientNamespace)
  if (routes.length === 0) return undefined
  const rules = routes.flatMap((route) =>
    route.rules.flatMap((rule, r) => rulesOf(rule, r, { model, route, port })),
  )
  // Stable: among equals the oldest route, then the first rule, stays ahead.
  return rules.toSorted(moreSpecificFirst)
}

/** Another name of a Service is treated as that Service is. */
function unrouted(
  model: MeshModel,
  service: Service,
  key: string,
  port: number,
  clientNamespace: string,
): Routing {
  const target = externalTarget(model, service)
  if (target === undefined || target.kind === 'host') return { rules: [own(key, port)] }
  if (target.kind === 'service' && portOf(target.service, port) !== undefined)
    return routingOf(model, target.service, port, clientNamespace)
  return { rules: [{ ...own(key, port), backends: [{ backend: undefined, weight: 1 }] }] }
}

/**
 * The routing of one port of a service, for clients of a namespace. On one Service, a route beats a split, and a route
 * of the client's own namespace both.
 */
export function routingOf(model: MeshModel, service: Service, port: number, clientNamespace = ''): Routing {
  const key = keyOf(service.namespace, service.name)
  const rules = byRoutes(model, key, port, clientNamespace) ?? splitRules(model, key, port)
  return rules === undefined ? unrouted(model, service, key, port, clientNamespace) : { rules }
}
