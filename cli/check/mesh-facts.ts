/** What is asked of a mesh that runs, before anything is judged. */
import type { MeshedWorkload, MeshTrust } from '../../api/diagnosis.ts'
import { failureFields } from '../../core/errors.ts'
import { type MeshAccess, type Page, readPage, readSidecarPage } from '../reach/mesh-access.ts'
import { readWorkloads } from '../reach/workloads.ts'
import type { SidecarConfig } from '../sidecar-config.ts'

export type FindingsPage = {
  readonly findings: readonly { readonly code: string; readonly object: string; readonly message: string }[]
  readonly refused: readonly string[]
}

export type SidecarAnswer = { readonly ready: Page | undefined; readonly config: SidecarConfig | undefined }

export type MeshFacts =
  | { readonly reached: false; readonly problem: string }
  | {
      readonly reached: true
      readonly ready: Page
      readonly trust: MeshTrust
      readonly findings: FindingsPage
      readonly workloads: readonly MeshedWorkload[]
      /** By `namespace/pod`; only those that were asked. */
      readonly answers: ReadonlyMap<string, SidecarAnswer>
    }

/** In a large mesh asking everybody takes long; those that are left out are said to be. */
const maxAsked = 200
const atOnce = 16

async function askSidecar(access: MeshAccess, { sidecar }: MeshedWorkload): Promise<SidecarAnswer> {
  if (sidecar === null) return { ready: undefined, config: undefined }
  const ready = await access.sidecar(sidecar, 'GET', '/ready')
  const config =
    ready === undefined ? undefined : await readSidecarPage<SidecarConfig>(access, sidecar, '/config')
  return { ready, config }
}

async function askSidecars(access: MeshAccess, workloads: readonly MeshedWorkload[]) {
  const asked = workloads.filter(({ sidecar }) => sidecar !== null).slice(0, maxAsked)
  const answers = new Map<string, SidecarAnswer>()
  for (let i = 0; i < asked.length; i += atOnce)
    await Promise.all(
      asked.slice(i, i + atOnce).map(async (workload) => {
        answers.set(`${workload.namespace}/${workload.pod}`, await askSidecar(access, workload))
      }),
    )
  return answers
}

/** `withSidecars`: each of them is asked too. Never rejects. */
export async function gatherMesh(access: MeshAccess, withSidecars: boolean): Promise<MeshFacts> {
  try {
    const ready = await access.controlPlane('/ready')
    const trust = await readPage<MeshTrust>(access, '/identity')
    const findings = await readPage<FindingsPage>(access, '/findings')
    const workloads = await readWorkloads(access)
    const answers = withSidecars ? await askSidecars(access, workloads) : new Map<string, SidecarAnswer>()
    return { reached: true, ready, trust, findings, workloads, answers }
  } catch (error) {
    return { reached: false, problem: failureFields(error).reason }
  }
}
