/** `weft policy`: which policy counts where, who may call whom, and where each setting of a Service comes from. */
import type { AccessReport } from '../control-plane/model/access-status.ts'
import type { PolicyStatus, ServiceTraffic } from '../control-plane/model/policy-status.ts'
import type { Screen } from './output.ts'
import { type MeshAccess, readPage } from './reach/mesh-access.ts'
import { type Table, tableText } from './text-table.ts'

export type PoliciesPage = {
  readonly policies: readonly PolicyStatus[]
  readonly services: readonly ServiceTraffic[]
  readonly access: readonly AccessReport[]
}

function policiesTable({ policies }: Pick<PoliciesPage, 'policies'>, wide: boolean): Table {
  const rows = policies.flatMap(({ namespace, name, sections, targets }) =>
    targets.map(({ service, port, inForce, conditions }) => {
      const trouble = conditions.find(({ status }) => status === 'False')
      return [
        namespace,
        name,
        port === undefined ? service : `${service}:${port}`,
        inForce.join(', ') || '-',
        sections.join(', '),
        trouble?.reason ?? 'in force',
        ...(wide ? [trouble?.message ?? ''] : []),
      ]
    }),
  )
  const columns = ['NAMESPACE', 'POLICY', 'SERVICE', 'PORTS', 'SETTINGS', 'STATE']
  return { columns: wide ? [...columns, 'MESSAGE'] : columns, rows, spare: ['PORTS', 'NAMESPACE'] }
}

function accessTable({ access }: Pick<PoliciesPage, 'access'>, wide: boolean): Table {
  const rows = access.map(({ kind, namespace, name, targets, mtls, verdict, rules, pods, conditions }) => {
    const counts = Object.entries(rules).filter(([, count]) => count > 0)
    const trouble = conditions.find(({ status }) => status === 'False')
    return [
      namespace,
      `${kind} ${name}`,
      targets.join(', '),
      String(pods),
      mtls || '-',
      counts.map(([action, count]) => `${count} ${action}`).join(', ') || '-',
      verdict ?? '-',
      trouble?.reason ?? 'in force',
      ...(wide ? [trouble?.message ?? ''] : []),
    ]
  })
  const columns = ['NAMESPACE', 'ACCESS', 'TO', 'PODS', 'MTLS', 'RULES', 'DEFAULT', 'STATE']
  const spare = ['PODS', 'DEFAULT', 'NAMESPACE', 'MTLS']
  return { columns: wide ? [...columns, 'MESSAGE'] : columns, rows, spare }
}

/** Where the settings in force come from. */
function servicesTable({ services }: Pick<PoliciesPage, 'services'>): Table {
  const rows = services.flatMap(({ namespace, name, ports }) =>
    ports.flatMap(({ port, sections }) =>
      Object.entries(sections).map(([section, from]) => [namespace, name, String(port), section, from]),
    ),
  )
  return { columns: ['NAMESPACE', 'SERVICE', 'PORT', 'SETTING', 'FROM'], rows, spare: ['NAMESPACE'] }
}

/** Rejects with CONTROL_PLANE_UNREACHABLE. */
export function readPolicies(access: MeshAccess): Promise<PoliciesPage> {
  return readPage<PoliciesPage>(access, '/policies')
}

/** Pure. */
export function policiesText(page: PoliciesPage, screen: Screen, wide: boolean): string {
  const tables = [policiesTable(page, wide), accessTable(page, wide), servicesTable(page)].filter(
    ({ rows }) => rows.length > 0,
  )
  if (tables.length === 0) return 'There are no policies, and no settings on Services.\n'
  return tables.map((table) => tableText(table, screen, wide)).join('\n')
}
