/** A service's configured split and what is observed of it, side by side. Pure. */
import type { LiveEdge, LiveMesh } from '../../../../api/live.ts'
import type { ServiceReport } from '../../../model/service-report.ts'
import type { SplitPage } from '../../../status/split-journal.ts'
import { type Figures, sumFigures } from './figures.ts'

export type SplitBackend = {
  /** `namespace/name`. */
  readonly key: string
  readonly name: string
  readonly configured: number
  /** Null while there is no request. */
  readonly observed: number | null
  readonly figures: Figures
  /** Why it gets nothing; empty where there is nothing to say. */
  readonly remark: string
}
export type SplitFigures = {
  /** `TrafficSplit shop/catalog`, `HTTPRoute shop/catalog, rule 0`. */
  readonly object: string
  readonly port: number
  /** Why what it says is not what is done; empty where it is. */
  readonly remark: string
  readonly backends: readonly SplitBackend[]
}

const remarks: Readonly<Record<string, string>> = {
  BackendUnknown: 'no Service of this name',
  BackendWithoutPort: 'has not this port',
  ZeroWeight: 'weighs nothing',
  NoReadyEndpoint: 'no ready endpoint, its share goes to the others',
  NotInForce: 'the split does not count here',
}
const servedBy: Readonly<Record<string, string>> = {
  route: 'a route on this service counts instead',
  'other-split': 'an older split for this service counts instead',
  apex: 'no backend can be sent to: the service itself answers',
}

type Named = { readonly namespace: string; readonly name: string }
type Configured = Pick<SplitBackend, 'key' | 'name' | 'configured' | 'remark'>

/** Adds what is observed; a backend that only the traffic knows is one that was just taken out. */
function observe(configured: readonly Configured[], edges: readonly LiveEdge[]): readonly SplitBackend[] {
  const byBackend = Map.groupBy(edges, ({ backend }) => `${backend.namespace}/${backend.name}`)
  const total = sumFigures(edges).requestsPerSecond
  const gone = [...byBackend.keys()].filter((key) => configured.every((other) => other.key !== key))
  const all = [
    ...configured,
    ...gone.map((key) => ({
      key,
      name: key.slice(key.indexOf('/') + 1),
      configured: 0,
      remark: 'not configured',
    })),
  ]
  return all.map((backend) => {
    const figures = sumFigures(byBackend.get(backend.key) ?? [])
    return { ...backend, figures, observed: total === 0 ? null : figures.requestsPerSecond / total }
  })
}

/** The splits and weighted rules of a service's ports, in the order of the ports. */
export function splitFigures(
  service: Named,
  mesh: LiveMesh,
  splits: readonly SplitPage[],
  reports: readonly ServiceReport[],
): readonly SplitFigures[] {
  const { namespace, name } = service
  const edges = mesh.edges.filter(({ apex }) => apex.namespace === namespace && apex.name === name)
  const to = (port: number) => edges.filter(({ apex }) => apex.port === port)
  const ofSplits = splits
    .filter((split) => split.namespace === namespace && split.apex === name)
    .flatMap((split) =>
      split.ports.map((port) => ({
        object: `TrafficSplit ${namespace}/${split.name}`,
        port: port.port,
        remark: servedBy[port.servedBy] ?? '',
        backends: observe(
          port.backends.map(({ service: backend, sharePercent, leftOut }) => ({
            key: `${namespace}/${backend}`,
            name: backend,
            configured: sharePercent / 100,
            remark: leftOut === undefined ? '' : (remarks[leftOut] ?? leftOut),
          })),
          to(port.port),
        ),
      })),
    )
  const report = reports.find((other) => other.namespace === namespace && other.name === name)
  const ofRoutes = (report?.ports ?? []).flatMap(({ port, rules }) =>
    rules
      .filter(({ backends }) => backends.length > 1)
      .map(({ kind, route, rule, backends }) => ({
        object: `${kind} ${route}, rule ${rule}`,
        port,
        remark: rules.length > 1 ? 'observed over all rules of this port together' : '',
        backends: observe(
          backends.map((backend) => ({
            key: `${backend.namespace}/${backend.service}`,
            name: backend.service,
            configured: backend.sharePercent / 100,
            remark: backend.sharePercent === 0 ? 'weighs nothing' : '',
          })),
          to(port),
        ),
      })),
  )
  return [...ofSplits, ...ofRoutes].toSorted((a, b) => a.port - b.port)
}
