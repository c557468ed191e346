/** What is asked of a mesh that runs, before anything is judged. */
import type {
  MeshedWorkload,
  MeshTrust,
  SidecarDiagnosis,
  SidecarFacts,
  TriedConnection,
} from '../../api/diagnosis.ts'
import { failureFields } from '../../core/errors.ts'
import type { AccessSummary } from '../../control-plane/model/access-findings.ts'
import type { AskingClient } from './asked-checks.ts'
import type { BackendFacts } from './backend-checks.ts'
import { type MeshAccess, type Page, readPage, readPageOfAll, readSidecarPage } from '../reach/mesh-access.ts'
import { readWorkloads } from '../reach/workloads.ts'
import type { SidecarConfig } from '../sidecar-config.ts'

export type FindingsPage = {
  readonly findings: readonly { readonly code: string; readonly object: string; readonly message: string }[]
  readonly refused: readonly { readonly object: string; readonly problems: readonly string[] }[]
}

export type SidecarAnswer = {
  readonly ready: Page | undefined
  /** Only of workloads that take mesh mTLS only. */
  readonly metrics: Page | undefined
  /** Connections to its application that failed, one for each port that it takes connections for by name. */
  readonly deaf: readonly TriedConnection[]
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
      readonly clients: readonly AskingClient[]
      readonly workloads: readonly MeshedWorkload[]
      /** By `namespace/pod`; only those that were asked. */
      readonly answers: ReadonlyMap<string, SidecarAnswer>
    }

/** In a large mesh asking everybody takes long; those that are left out are said to be. */
const maxAsked = 200
const atOnce = 16
const maxPorts = 4

/** Redirected workloads have no list of ports, and are not tried. */
async function triedApplication(
  access: MeshAccess,
  sidecar: SidecarFacts,
): Promise<readonly TriedConnection[]> {
  const config = await readSidecarPage<SidecarConfig>(access, sidecar, '/config')
  const listening = (config?.inbound ?? []).filter(({ listen }) => listen !== undefined)
  const ports = [...new Set(listening.map(({ applicationPort }) => applicationPort))].slice(0, maxPorts)
  const answers = await Promise.all(
    ports.map((port) =>
      readSidecarPage<SidecarDiagnosis>(access, sidecar, `/diagnose?application=${port}`, 'POST'),
    ),
  )
  return answers.flatMap((answer) => answer?.application ?? []).filter(({ failure }) => failure !== null)
}

async function askSidecar(
  access: MeshAccess,
  { sidecar }: MeshedWorkload,
  { isStrict, serves }: { readonly isStrict: boolean; readonly serves: boolean },
): Promise<SidecarAnswer> {
  const ready = sidecar === null ? undefined : await access.sidecar(sidecar, 'GET', '/ready')
  // Who does not answer once is not asked again: each time takes until its timeout.
  if (sidecar === null || ready === undefined) return { ready, metrics: undefined, deaf: [] }
  return {
    ready,
    metrics: isStrict ? await access.sidecar(sidecar, 'GET', '/metrics') : undefined,
    deaf: serves ? await triedApplication(access, sidecar) : [],
  }
}

async function askSidecars(
  access: MeshAccess,
  workloads: readonly MeshedWorkload[],
  { strict }: AccessSummary,
  services: BackendFacts['services'],
) {
  const asked = workloads.filter(({ sidecar }) => sidecar !== null).slice(0, maxAsked)
  const strictOnes = new Set(strict)
  // Who only calls others may have no application that listens.
  const serving = new Set(services.flatMap(({ namespace, pods }) => pods.map((pod) => `${namespace}/${pod}`)))
  const answers = new Map<string, SidecarAnswer>()
  for (let i = 0; i < asked.length; i += atOnce)
    await Promise.all(
      asked.slice(i, i + atOnce).map(async (workload) => {
        const key = `${workload.namespace}/${workload.pod}`
        const facts = { isStrict: strictOnes.has(key), serves: serving.has(key) }
        answers.set(key, await askSidecar(access, workload, facts))
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
    const clients = (await readPageOfAll<readonly AskingClient[]>(access, '/clients')).flat()
    const workloads = await readWorkloads(access)
    const answers = withSidecars
      ? await askSidecars(access, workloads, summary, services)
      : new Map<string, SidecarAnswer>()
    return { reached: true, ready, trust, findings, backends, clients, access: summary, workloads, answers }
  } catch (error) {
    return { reached: false, problem: failureFields(error).reason }
  }
}
