/** Turns a destination's rules into ready handler chains: each rule's layers are composed once, per snapshot. */
import { WeftError } from '../core/errors.ts'
import { Backends } from './backends.ts'
import { Body } from './body.ts'
import type { ClusterSet } from './cluster/cluster-set.ts'
import { type Handler, Reply } from './exchange.ts'
import { HeaderList } from './header-list.ts'
import { statusText } from './http1/status-text.ts'
import { compose, type Layer } from './layer.ts'
import { localReply } from './local-reply.ts'
import { backend } from './layers/backend.ts'
import { balance } from './layers/balance.ts'
import { hash } from './layers/hash.ts'
import { mirror, type MirrorTarget } from './layers/mirror.ts'
import { rateLimit, type RateLimitCounts } from './layers/rate-limit.ts'
import { redirect } from './layers/redirect.ts'
import { requestHeaders } from './layers/request-headers.ts'
import { responseHeaders } from './layers/response-headers.ts'
import { rewrite } from './layers/rewrite.ts'
import { session } from './layers/session.ts'
import { attemptLayers, exchangeLayers, type PolicyLayerParts } from './policy-layers.ts'
import { defaultBudget } from './retry/budget.ts'
import type { DestinationRetries } from './retry/destination-retries.ts'
import { headerEditor } from './route/header-edits.ts'
import { pathRewriter } from './route/path-rewrite.ts'
import type {
  Mirror,
  RouteAction,
  RouteFilters,
  RouteRule,
  RuleLimit,
  VirtualHostRules,
} from './route/route-rule.ts'
import { RouteTable } from './route/route-table.ts'
import type { MirrorStatsTable } from './telemetry/mirror-stats.ts'
import type { RouteStatsTable } from './telemetry/route-stats.ts'
import type { StatsByName } from './telemetry/stats-by-name.ts'

export type RoutedParts = PolicyLayerParts & {
  readonly clusters: ClusterSet
  readonly mirrorStats: MirrorStatsTable
  readonly rateLimitCounts: RateLimitCounts
  readonly routeStats: RouteStatsTable
}

type Forward = Extract<RouteAction, { readonly kind: 'forward' }>

function respond(status: number, content: string): Handler {
  return (x, receiver) => {
    if (x.grpc !== undefined) {
      receiver.onReply(x, localReply(x, { status, flag: '', text: content }))
      return
    }
    const headers = HeaderList.of('Content-Type', 'text/plain', 'Content-Length', String(content.length))
    receiver.onReply(x, new Reply(status, statusText(status), headers, Body.of(content)))
  }
}

/** A backend that has gone is left out: a copy is never worth a failure. */
function mirrorTargets(mirrors: readonly Mirror[], parts: RoutedParts): readonly MirrorTarget[] {
  return mirrors.flatMap(({ cluster: name, share }) => {
    const cluster = parts.clusters.get(name)
    if (cluster === undefined) return []
    const send = balance(() => cluster, parts.clock.monotonicMs)
    return [{ share, send, stats: parts.mirrorStats.for(name) }]
  })
}

/** What a rule changes on the way in, outermost first; nothing for what it does not change. */
function requestLayers(
  { requestHeaders: edits, host, path, mirrors }: RouteFilters,
  parts: RoutedParts,
): Layer[] {
  const layers: Layer[] = []
  const edit = headerEditor(edits)
  if (edit !== undefined) layers.push(requestHeaders(edit))
  const target = path === undefined ? undefined : pathRewriter(path)
  if (host !== undefined || target !== undefined) layers.push(rewrite({ host, target }))
  const targets = mirrorTargets(mirrors, parts)
  // Copies are of what the route makes of the request.
  if (targets.length > 0) layers.push(mirror(targets, parts.clock))
  return layers
}

function forwardLayers(
  rule: RouteRule,
  backends: Backends,
  parts: RoutedParts,
  retries: DestinationRetries,
): Layer[] {
  const { clock } = parts
  const layers = exchangeLayers(rule, parts)
  if (rule.filters !== undefined) layers.push(...requestLayers(rule.filters, parts))
  if (rule.session !== undefined)
    layers.push(session(rule.session, { clusterOf: backends.clusterOf, wallMs: clock.wallMs }))
  if (rule.hash !== undefined) layers.push(hash(rule.hash))
  // Once for all attempts: what a backend changes is changed once.
  if (backends.filtered) layers.push(backend(backends.chooseFor))
  layers.push(...attemptLayers(rule.policy, retries, clock))
  return layers
}

function forward(rule: RouteRule, action: Forward, parts: RoutedParts, retries: DestinationRetries): Handler {
  const backends = new Backends(action, parts.clusters)
  const send = balance(() => backends.choose().cluster, parts.clock.monotonicMs)
  return compose(...forwardLayers(rule, backends, parts, retries))(send)
}

function actionHandler(rule: RouteRule, parts: RoutedParts, retries: DestinationRetries): Handler {
  const { action } = rule
  switch (action.kind) {
    case 'respond':
      return respond(action.status, action.body)
    case 'redirect':
      return redirect(action.redirect)
    case 'forward':
      return forward(rule, action, parts, retries)
  }
}

function ruleHandler(rule: RouteRule, parts: RoutedParts, retries: DestinationRetries): Handler {
  const handler = actionHandler(rule, parts, retries)
  const edit = headerEditor(rule.filters?.responseHeaders ?? [])
  return edit === undefined ? handler : responseHeaders(edit)(handler)
}

/** Puts the limits of rules around them: one bucket for all rules that share a limit. */
function limiter({ rateLimitCounts, clock }: RoutedParts): (rule: RouteRule, handler: Handler) => Handler {
  const layers = new Map<string, Layer>()
  const layerOf = ({ id, policy }: RuleLimit): Layer => {
    const made = layers.get(id) ?? rateLimit(policy, rateLimitCounts, clock.monotonicMs)
    layers.set(id, made)
    return made
  }
  return ({ rateLimits = [] }, handler) => compose(...rateLimits.map(layerOf))(handler)
}

type Prepared = {
  readonly name: string
  readonly stats: StatsByName | undefined
  readonly handle: Handler
}

/** The handler of one destination, a name of the service `apex`. A request that no rule matches gets NO_ROUTE. */
export function routed(
  hosts: readonly VirtualHostRules[],
  parts: RoutedParts,
  retries: DestinationRetries,
  apex = '',
): Handler {
  // One for all rules: a destination has one policy.
  const budget = hosts.flatMap(({ rules }) => rules).find((rule) => rule.policy?.budget !== undefined)
  retries.budget.configure(budget?.policy?.budget ?? defaultBudget)
  const limited = limiter(parts)
  const table = new RouteTable<Prepared>(hosts, (rule) => ({
    name: rule.name,
    // What is no name of the configuration must not become a label.
    stats: apex === '' ? undefined : parts.routeStats.ofRule(apex, rule.name),
    handle: limited(rule, ruleHandler(rule, parts, retries)),
  }))
  return function handleByRoute(x, receiver) {
    const prepared = table.find(x)
    if (prepared === undefined)
      throw new WeftError('NO_ROUTE', `no route of ${x.destination} matches ${x.method}`)
    x.apex = apex
    x.routeName = prepared.name
    x.ruleStats = prepared.stats
    prepared.handle(x, receiver)
  }
}
