/** `weft stat`: what workloads receive, or what services are asked for, in the last moments. */
import type { LiveMesh, LiveWorkload } from '../api/live.ts'
import { WeftError } from '../core/errors.ts'
import { type Figures, figureColumns, shortService, shortWorkload } from './live-columns.ts'
import { mergeFigures, workloadId } from './live-mesh.ts'
import { listing, type OutputForm, type Screen } from './output.ts'
import type { Column } from './table.ts'
import { parseSubject } from './workload-kinds.ts'

export type StatRow = Partial<Figures> & {
  readonly namespace: string
  /** `deploy/web`, or `svc/catalog:8080`. */
  readonly name: string
  /** Sidecars that are connected; a service has none of its own. */
  readonly sidecars: number | null
}

export type StatQuery = {
  /** `deploy/web`, `svc/catalog`, `deploy`, or nothing for all workloads. */
  readonly subject: string | undefined
  readonly namespace: string | undefined
}

/** One row for each workload or service that the query means. Throws CONFIG_INVALID, RESOURCE_UNKNOWN. */
export function statRows(mesh: LiveMesh, query: StatQuery): readonly StatRow[] {
  const { kind, name } = parseSubject(query.subject)
  const rows = (kind === 'Service' ? serviceRows(mesh, name) : workloadRows(mesh, kind, name))
    .filter(({ namespace }) => query.namespace === undefined || namespace === query.namespace)
    .toSorted((a, b) => (`${a.namespace} ${a.name}` < `${b.namespace} ${b.name}` ? -1 : 1))
  if (rows.length === 0 && name !== undefined)
    throw new WeftError('RESOURCE_UNKNOWN', unknown(query, kind, mesh.windowMs))
  return rows
}

function unknown({ subject, namespace }: StatQuery, kind: string | undefined, windowMs: number): string {
  const where = namespace === undefined ? 'any namespace' : `namespace ${namespace}`
  return kind === 'Service'
    ? `nobody has asked for ${subject} in ${where} in the last ${windowMs / 1000} s`
    : `no sidecar of ${subject} in ${where} is connected`
}

function workloadRows(mesh: LiveMesh, kind?: string, name?: string): readonly StatRow[] {
  const workloads = new Map<string, LiveWorkload>()
  for (const { workload } of [...mesh.sidecars, ...mesh.inbound])
    if ((kind ?? workload.kind) === workload.kind && (name ?? workload.name) === workload.name)
      workloads.set(workloadId(workload), workload)
  return [...workloads].map(([id, workload]) => ({
    namespace: workload.namespace,
    name: shortWorkload(workload),
    sidecars: mesh.sidecars.filter((sidecar) => workloadId(sidecar.workload) === id).length,
    ...summed(mesh.inbound.filter((entry) => workloadId(entry.workload) === id)),
  }))
}

/** Of what was asked for, whichever backend served it. */
function serviceRows(mesh: LiveMesh, name?: string): readonly StatRow[] {
  const edges = mesh.edges.filter(({ apex }) => name === undefined || apex.name === name)
  return [...Map.groupBy(edges, ({ apex }) => shortService(apex))].map(([, group]) => {
    const apex = (group[0] as (typeof group)[0]).apex
    return {
      namespace: apex.namespace,
      name: `svc/${apex.name}:${apex.port}`,
      sidecars: null,
      ...summed(group),
    }
  })
}

function summed(entries: readonly Figures[]): Partial<Figures> {
  if (entries.length === 0) return {}
  const { requestsPerSecond, successRatio, p50Ms, p95Ms, p99Ms, mtlsRatio } = entries.reduce((a, b) =>
    mergeFigures(a, b),
  )
  return { requestsPerSecond, successRatio, p50Ms, p95Ms, p99Ms, mtlsRatio }
}

const columns: readonly Column<StatRow>[] = [
  { header: 'NAMESPACE', spare: 2, text: ({ namespace }) => namespace },
  { header: 'NAME', text: ({ name }) => name },
  { header: 'SIDECARS', right: true, spare: 4, text: ({ sidecars }) => String(sidecars ?? '-') },
  ...figureColumns<StatRow>((row) =>
    row.requestsPerSecond === undefined ? undefined : (row as StatRow & Figures),
  ),
]

/** The text of `weft stat`; `asked` for what is said where there is nothing. */
export function statText(
  rows: readonly StatRow[],
  form: OutputForm,
  screen: Screen,
  asked: Partial<StatQuery> = {},
): string {
  if (rows.length === 0 && (form === 'table' || form === 'wide')) return nothing(asked)
  return listing(columns, rows, form, screen)
}

function nothing({ subject, namespace }: Partial<StatQuery>): string {
  const where = namespace === undefined ? '' : ` of namespace ${namespace}`
  return parseSubject(subject).kind === 'Service'
    ? `No service${where} is asked for.\n`
    : `No ${subject === undefined ? '' : `${subject} with a `}sidecar${where} is connected.\n`
}
