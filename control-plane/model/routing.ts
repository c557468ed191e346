/** What becomes of a request to a service's port: the rules of its routes, or its split, or its own endpoints. Pure. */
import { keyOf, type MeshModel } from './mesh-model.ts'
import type { Route, RouteBackend, RouteMatch, Service, Split } from './objects.ts'

/** Something in the configuration that could not be honoured as it stands; shown in the log and on /findings. */
export type Finding = {
  readonly code:
    | 'BACKEND_UNKNOWN'
    | 'BACKEND_WITHOUT_PORT'
    | 'SPLIT_OVERRULED'
    | 'SPLIT_WITHOUT_TRAFFIC'
    | 'BACKEND_UNSUPPORTED'
    | 'POLICY_OVERRULED'
    | 'POLICY_TARGET_UNKNOWN'
  readonly object: string
  readonly message: string
}

/** `backend` is a service's key, or undefined for one that does not exist: its share of the requests fails. */
export type WeightedBackend = {
  readonly backend: { readonly key: string; readonly port: number } | undefined
  readonly weight: number
}
export type Rule = {
  readonly name: string
  readonly match: RouteMatch | undefined
  readonly backends: readonly WeightedBackend[]
  readonly timeoutMs: number | undefined
}
export type Routing = { readonly rules: readonly Rule[]; readonly findings: readonly Finding[] }

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}

/** The smallest whole numbers of the same proportions. */
export function reduceWeights(weights: readonly number[]): readonly number[] {
  const divisor = weights.reduce(gcd, 0)
  return divisor <= 1 ? weights : weights.map((weight) => weight / divisor)
}

function splitBackends(model: MeshModel, split: Split, port: number, findings: Finding[]): WeightedBackend[] {
  const object = `TrafficSplit ${keyOf(split.namespace, split.name)}`
  const usable = split.backends.filter(({ service }) => {
    const found = model.service(keyOf(split.namespace, service))
    if (found === undefined) {
      findings.push({
        code: 'BACKEND_UNKNOWN',
        object,
        message: `backend '${service}' is no Service; it gets nothing`,
      })
    } else if (!found.ports.some((candidate) => candidate.port === port)) {
      findings.push({
        code: 'BACKEND_WITHOUT_PORT',
        object,
        message: `backend '${service}' has no port ${port}; it gets nothing`,
      })
    } else return true
    return false
  })
  const live = usable.filter((backend) => backend.weightMilli > 0)
  const weights = reduceWeights(live.map((backend) => backend.weightMilli))
  return live.map(({ service }, i) => ({
    backend: { key: keyOf(split.namespace, service), port },
    weight: weights[i] as number,
  }))
}

/** SMI's split: the oldest counts; with nobody left to send to, the apex answers itself. Never followed further. */
function bySplit(model: MeshModel, apexKey: string, port: number): Routing | undefined {
  const [split, ...overruled] = model.splits(apexKey)
  if (split === undefined) return undefined
  const findings: Finding[] = overruled.map((other) => ({
    code: 'SPLIT_OVERRULED',
    object: `TrafficSplit ${keyOf(other.namespace, other.name)}`,
    message: `'${split.name}' is older and has the same apex '${split.apex}'`,
  }))
  const backends = splitBackends(model, split, port, findings)
  if (backends.length === 0) {
    findings.push({
      code: 'SPLIT_WITHOUT_TRAFFIC',
      object: `TrafficSplit ${keyOf(split.namespace, split.name)}`,
      message: `no backend can be sent to; '${split.apex}' serves its requests itself`,
    })
    return { rules: [own(apexKey, port)], findings }
  }
  const name = `split/${split.namespace}/${split.name}`
  return { rules: [{ name, match: undefined, backends, timeoutMs: undefined }], findings }
}

function own(key: string, port: number): Rule {
  return {
    name: `service/${key}`,
    match: undefined,
    backends: [{ backend: { key, port }, weight: 1 }],
    timeoutMs: undefined,
  }
}

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
  return byRoutes(model, key, port) ?? bySplit(model, key, port) ?? { rules: [own(key, port)], findings: [] }
}
