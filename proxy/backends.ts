/** The backends of a route's rule: chosen by weight, each with the filters that are its own. */
import { WeftError } from '../core/errors.ts'
import { invalidBackendCluster } from './cluster/cluster-config.ts'
import type { Cluster } from './cluster/cluster.ts'
import type { ClusterSet } from './cluster/cluster-set.ts'
import type { Exchange } from './exchange.ts'
import type { ChosenBackend } from './layers/backend.ts'
import { headerEditor } from './route/header-edits.ts'
import type { BackendFilters, HeaderEdit, RouteAction, WeightedCluster } from './route/route-rule.ts'
import { makeSplit } from './route/split.ts'

type Backend = {
  readonly name: string
  readonly cluster: Cluster | undefined
  /** Set where there is a cluster. */
  readonly chosen: ChosenBackend | undefined
}

function requestEdits({ requestHeaders, host }: BackendFilters): readonly HeaderEdit[] {
  return host === undefined ? requestHeaders : [...requestHeaders, { kind: 'set', name: 'Host', value: host }]
}

function makeBackend({ cluster: name, filters }: WeightedCluster, clusters: ClusterSet): Backend {
  const cluster = clusters.get(name)
  const chosen = cluster && {
    cluster,
    editRequest: filters && headerEditor(requestEdits(filters)),
    editResponse: filters && headerEditor(filters.responseHeaders),
  }
  return { name, cluster, chosen }
}

/** An invalid backend counts as available: its share of the requests has to fail visibly, not move elsewhere. */
function isAvailable(backend: Backend): boolean {
  return backend.name === invalidBackendCluster || backend.cluster?.available === true
}

export class Backends {
  readonly #choose: () => Backend | undefined
  readonly #byName = new Map<string, ChosenBackend>()
  /** Some backend changes what is sent to it, or what comes back. */
  readonly filtered: boolean

  constructor(action: Extract<RouteAction, { kind: 'forward' }>, clusters: ClusterSet) {
    const choices = action.clusters.map((entry) => ({
      item: makeBackend(entry, clusters),
      weight: entry.weight,
    }))
    this.#choose = makeSplit<Backend>(choices, action.sharesMove === true ? isAvailable : () => true)
    for (const { item } of choices)
      if (item.chosen !== undefined && !this.#byName.has(item.name)) this.#byName.set(item.name, item.chosen)
    this.filtered = action.clusters.some((entry) => entry.filters !== undefined)
  }

  /** By weight. Throws BACKEND_INVALID or NO_ENDPOINTS. */
  readonly choose = (): ChosenBackend => {
    const backend = this.#choose()
    if (backend?.chosen !== undefined) return backend.chosen
    if (backend?.name === invalidBackendCluster)
      throw new WeftError('BACKEND_INVALID', 'the route names a backend that does not exist')
    throw new WeftError('NO_ENDPOINTS', 'no backend of the route has a ready endpoint')
  }

  /** The one that is settled for `x`, or one by weight. Throws as `choose` does. */
  readonly chooseFor = ({ cluster }: Exchange): ChosenBackend => {
    const settled = cluster === undefined ? undefined : this.#byName.get(cluster.name)
    return settled ?? this.choose()
  }

  readonly clusterOf = (name: string): Cluster | undefined => this.#byName.get(name)?.cluster
}
