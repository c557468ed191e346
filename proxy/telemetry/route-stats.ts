/** What is counted of the exchanges of a route's rule, by the backend that they went to; plain numbers, read at scrape. */
import { parseServiceName } from '../../api/xds/naming.ts'
import { GoldenStats } from './golden-stats.ts'
import { type Labels, SeriesTable } from './series-table.ts'
import { StatsByName } from './stats-by-name.ts'

type Named = {
  readonly group: string
  readonly kind: string
  readonly name: string
  readonly namespace: string
}

function labelled(prefix: string, { group, kind, name, namespace }: Named): Labels {
  return {
    [`${prefix}_group`]: group,
    [`${prefix}_kind`]: kind,
    [`${prefix}_name`]: name,
    [`${prefix}_namespace`]: namespace,
  }
}

/** A Service's port, as a parent or a backend; empty where it is none of the mesh. */
function serviceLabels(prefix: string, resource: string): Labels {
  const parsed = parseServiceName(resource)
  if (parsed === undefined) return labelled(prefix, { group: '', kind: '', name: resource, namespace: '' })
  const { service: name, namespace, port } = parsed
  return {
    ...labelled(prefix, { group: 'core', kind: 'Service', name, namespace }),
    [`${prefix}_port`]: String(port),
  }
}

const routeKinds: ReadonlyMap<string, Pick<Named, 'group' | 'kind'>> = new Map([
  ['httproute', { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute' }],
  ['grpcroute', { group: 'gateway.networking.k8s.io', kind: 'GRPCRoute' }],
  ['split', { group: 'split.smi-spec.io', kind: 'TrafficSplit' }],
  // Without a route it is as Linkerd has it: a default one.
  ['service', { group: '', kind: 'default' }],
])

/** Of a rule's name: `httproute/shop/catalog/0`. */
function routeLabels(rule: string): Labels {
  const [word = '', namespace = '', name = '', part = ''] = rule.split('/')
  const known = routeKinds.get(word)
  const named =
    known === undefined ? { group: '', kind: '', name: rule, namespace: '' } : { ...known, name, namespace }
  return { ...labelled('route', named), route_rule: known === undefined ? '' : part }
}

export function isOfBackend(labels: Labels): boolean {
  return 'backend_name' in labels
}

export function withoutBackend(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !name.startsWith('backend_')))
}

export class RouteStatsTable extends SeriesTable<GoldenStats> {
  constructor(nowMs: () => number) {
    super((labels) => new GoldenStats(labels), { overflow: 'true' }, nowMs)
  }

  /**
   * Of a rule of the service `parent`, by the cluster that its exchanges went to; the empty name is for those that went
   * nowhere. Label sets are made when something is counted.
   */
  ofRule(parent: string, rule: string): StatsByName {
    return new StatsByName((backend) =>
      this.for({
        ...serviceLabels('parent', parent),
        ...routeLabels(rule),
        ...(backend === '' ? {} : serviceLabels('backend', backend)),
      }),
    )
  }
}
