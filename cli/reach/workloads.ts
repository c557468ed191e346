/** Who has a sidecar, put together from what each replica of the control plane knows. */
import type { MeshedWorkload } from '../../api/diagnosis.ts'
import { type MeshAccess, readPageOfAll } from './mesh-access.ts'

/** Of several that say that they are connected the newest. */
function newer(a: MeshedWorkload, b: MeshedWorkload): MeshedWorkload {
  if (a.sidecar === null || b.sidecar === null) return a.sidecar === null ? b : a
  return a.sidecar.connectedAtMs >= b.sidecar.connectedAtMs ? a : b
}

/** Pure. */
export function mergeWorkloads(lists: readonly (readonly MeshedWorkload[])[]): readonly MeshedWorkload[] {
  const merged = new Map<string, MeshedWorkload>()
  for (const workload of lists.flat()) {
    const key = `${workload.namespace}/${workload.pod}`
    const known = merged.get(key)
    merged.set(key, known === undefined ? workload : newer(known, workload))
  }
  return [...merged.values()]
}

/** Rejects with CONTROL_PLANE_UNREACHABLE. */
export async function readWorkloads(access: MeshAccess): Promise<readonly MeshedWorkload[]> {
  const pages = await readPageOfAll<{ readonly sidecars: readonly MeshedWorkload[] }>(access, '/sidecars')
  return mergeWorkloads(pages.map(({ sidecars }) => sidecars))
}
