/** What is asked of a mesh that runs, before anything is judged. */
import type { MeshedWorkload, MeshTrust } from '../../api/diagnosis.ts'
import { failureFields } from '../../core/errors.ts'
import type { AccessSummary } from '../../control-plane/model/access-findings.ts'
import type { BackendFacts } from './backend-checks.ts'
import { type MeshAccess, type Page, readPage } from '../reach/mesh-access.ts'
import { readWorkloads } from '../reach/workloads.ts'

export type FindingsPage = {
  readonly findings: readonly { readonly code: string; readonly object: string; readonly message: string }[]
  readonly refused: readonly string[]
}

export type SidecarAnswer = {
  readonly ready: Page | undefined
  /** Only of workloads that take mesh mTLS only. */
  readonly metrics: Page | undefined
}

export type MeshFacts =
  | { readonly reached: false; readonly problem: string }
  | {
      readonly reached: true
      readonly ready: Page
      readonly trust: MeshTrust
      readonly findings: FindingsPage
      readonly access: AccessSummary
      readonly backends: BackendFacts
      readonly workloads: readonly MeshedWorkload[]
      /** By `namespace/pod`; only those that were asked. */
      readonly answers: ReadonlyMap<string, SidecarAnswer>
    }

/** In a large mesh asking everybody takes long; those that are left out are said to be. */
const maxAsked = 200
const atOnce = 16

async function askSidecar(
  access: MeshAccess,
  { sidecar }: MeshedWorkload,
  isStrict: boolean,
): Promise<SidecarAnswer> {
  if (sidecar === null) return { ready: undefined, metrics: undefined }
  return {
    ready: await access.sidecar(sidecar, 'GET', '/ready'),
    metrics: isStrict ? await access.sidecar(sidecar, 'GET', '/metrics') : undefined,
  }
}

async function askSidecars(
  access: MeshAccess,
  workloads: readonly MeshedWorkload[],
  { strict }: AccessSummary,
) {
  const asked = workloads.filter(({ sidecar }) => sidecar !== null).slice(0, maxAsked)
  const strictOnes = new Set(strict)
  const answers = new Map<string, SidecarAnswer>()
  for (let i = 0; i < asked.length; i += atOnce)
    await Promise.all(
      asked.slice(i, i + atOnce).map(async (workload) => {
        const key = `${workload.namespace}/${workload.pod}`
        answers.set(key, await askSidecar(access, workload, strictOnes.has(key)))
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
    const summary = await readPage<AccessSummary>(access, '/access/summary')
    const { services } = await readPage<Pick<BackendFacts, 'services'>>(access, '/services')
    const { splits } = await readPage<Pick<BackendFacts, 'splits'>>(access, '/splits')
    const backends = { services, splits }
    const workloads = await readWorkloads(access)
    const answers = withSidecars
      ? await askSidecars(access, workloads, summary)
      : new Map<string, SidecarAnswer>()
    return { reached: true, ready, trust, findings, backends, access: summary, workloads, answers }
  } catch (error) {
    return { reached: false, problem: failureFields(error).reason }
  }
}
