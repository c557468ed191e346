/** The pages that say who may call whom: policies in short, what is wrong with them, and what is said of one workload. */
import type { AdminServer } from '../../core/admin-server.ts'
import { portAccess, type PortAccess, type WorkloadPort } from '../model/access.ts'
import { accessSummary } from '../model/access-findings.ts'
import type { MeshModel } from '../model/mesh-model.ts'
import type { Workload } from '../model/objects.ts'
import { workloadPorts } from '../model/workload-ports.ts'

/** What is said of one port; null: of those that nobody has named. */
export type AccessOfPort = PortAccess & { readonly port: number | null }
export type AccessOfWorkload = { readonly workload: string; readonly ports: readonly AccessOfPort[] }

function accessOf(model: MeshModel, workload: Workload): readonly AccessOfPort[] {
  const here = (port: WorkloadPort | undefined): AccessOfPort => ({
    port: port?.application ?? null,
    ...portAccess(model, workload, port),
  })
  return [...workloadPorts(model, workload).map(here), here(undefined)]
}

/** Adds /access?workload=NAMESPACE/POD and /access/summary. */
export function addAccessPages(admin: AdminServer, model: MeshModel): void {
  admin.page('GET', '/access', ({ query }) => {
    const key = query.get('workload') ?? ''
    const workload = model.workload(key)
    if (workload === undefined)
      return { status: 404, body: `there is no pod '${key}'; say workload=NAMESPACE/POD\n` }
    const body: AccessOfWorkload = { workload: key, ports: accessOf(model, workload) }
    return { body }
  })
  admin.page('GET', '/access/summary', () => ({ body: accessSummary(model) }))
}
