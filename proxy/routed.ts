/** Turns a destination's rules into ready handler chains: each rule's layers are composed once, per snapshot. */
import type { Clock } from '../core/clock.ts'
import { WeftError } from '../core/errors.ts'
import { Body } from './body.ts'
import { invalidBackendCluster } from './cluster/cluster-config.ts'
import type { Cluster } from './cluster/cluster.ts'
import type { ClusterSet } from './cluster/cluster-set.ts'
import { type Handler, Reply } from './exchange.ts'
import { HeaderList } from './header-list.ts'
import { statusText } from './http1/status-text.ts'
import { compose, type Layer } from './layer.ts'
import { balance, type ChooseCluster } from './layers/balance.ts'
import { retry } from './layers/retry.ts'
import { timeout } from './layers/timeout.ts'
import { RetryBudget } from './retry/budget.ts'
import type { RouteRule, VirtualHostRules, WeightedCluster } from './route/route-rule.ts'
import { RouteTable } from './route/route-table.ts'
import { makeSplit } from './route/split.ts'

export type RoutedParts = { readonly clusters: ClusterSet; readonly clock: Clock }

type Backend = { readonly name: string; readonly cluster: Cluster | undefined }

/** An invalid backend counts as available: its share of the requests has to fail visibly, not move elsewhere. */
function isAvailable(backend: Backend): boolean {
  return backend.name === invalidBackendCluster || backend.cluster?.available === true
}

function clusterChooser(weighted: readonly WeightedCluster[], clusters: ClusterSet): ChooseCluster {
  const backends = weighted.map(({ cluster, weight }) => ({
    item: { name: cluster, cluster: clusters.get(cluster) },
    weight,
  }))
  const choose = makeSplit<Backend>(backends, isAvailable)
  return () => {
    const chosen = choose()
    if (chosen?.cluster !== undefined) return chosen.cluster
    if (chosen?.name === invalidBackendCluster)
      throw new WeftError('BACKEND_INVALID', 'the route names a backend that does not exist')
    throw new WeftError('NO_ENDPOINTS', 'no backend of the route has a ready endpoint')
  }
}

function respond(status: number, content: string): Handler {
  return (x, receiver) => {
    const headers = HeaderList.of('Content-Type', 'text/plain', 'Content-Length', String(content.length))
    receiver.onReply(x, new Reply(status, statusText(status), headers, Body.of(content)))
  }
}

function ruleHandler(rule: RouteRule, parts: RoutedParts): Handler {
  const { action } = rule
  if (action.kind === 'respond') return respond(action.status, action.body)
  const nowMs = parts.clock.monotonicMs
  const layers: Layer[] = []
  // Outside of retry: the time is for the client's request, however many attempts it takes.
  if (rule.timeoutMs !== undefined) layers.push(timeout(rule.timeoutMs, parts.clock))
  layers.push(retry(new RetryBudget(nowMs)))
  return compose(...layers)(balance(clusterChooser(action.clusters, parts.clusters), nowMs))
}

type Prepared = { readonly name: string; readonly handle: Handler }

/** The handler of one destination. A request that no rule matches gets NO_ROUTE. */
export function routed(hosts: readonly VirtualHostRules[], parts: RoutedParts): Handler {
  const table = new RouteTable<Prepared>(hosts, (rule) => ({
    name: rule.name,
    handle: ruleHandler(rule, parts),
  }))
  return function handleByRoute(x, receiver) {
    const prepared = table.find(x)
    if (prepared === undefined)
      throw new WeftError('NO_ROUTE', `no route of ${x.destination} matches ${x.method}`)
    x.routeName = prepared.name
    prepared.handle(x, receiver)
  }
}
