/** The pages that say why a request does not arrive, who is connected, and what the mesh is trusted by. */
import type { DiagnosedRequest, MeshedWorkload, MeshTrust, SidecarFacts } from '../../api/diagnosis.ts'
import { formatSpiffeId } from '../../api/spiffe.ts'
import type { AdminReply, AdminServer } from '../../core/admin-server.ts'
import type { Clock } from '../../core/clock.ts'
import { version } from '../../core/version.ts'
import { keyOf, type MeshModel } from '../model/mesh-model.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { diagnose, type DiagnosisQuestion } from './diagnose.ts'

export type DiagnosisParts = {
  readonly model: MeshModel
  readonly snapshot: Snapshot
  readonly trustDomain: string
  readonly leafLifetimeMs: number
  readonly roots: () => string
  readonly sidecars: () => readonly SidecarFacts[]
  readonly clock: Clock
}

function headersOf(query: URLSearchParams): DiagnosedRequest['headers'] {
  return query.getAll('header').map((field) => {
    const colon = field.indexOf(':')
    const [name, value] = colon === -1 ? [field, ''] : [field.slice(0, colon), field.slice(colon + 1)]
    return { name: name.trim().toLowerCase(), value: value.trim() }
  })
}

/** What is asked for; undefined when it is not said who calls whom. */
function questionOf(query: URLSearchParams): DiagnosisQuestion | undefined {
  const [namespace = '', pod = '', ...rest] = (query.get('from') ?? '').split('/')
  const authority = query.get('to') ?? ''
  if (namespace === '' || pod === '' || rest.length > 0 || authority === '') return undefined
  return {
    namespace,
    pod,
    authority,
    request: {
      method: query.get('method') ?? 'GET',
      path: query.get('path') ?? '/',
      headers: headersOf(query),
    },
  }
}

/** The newest stream of each pod: one that broke off without a word may still be there. */
function newestOf(sidecars: readonly SidecarFacts[]): ReadonlyMap<string, SidecarFacts> {
  const byAge = sidecars.toSorted((a, b) => a.connectedAtMs - b.connectedAtMs)
  return new Map(byAge.map((sidecar) => [keyOf(sidecar.namespace, sidecar.pod), sidecar]))
}

/** Workloads with a sidecar, and those that have one although nothing says so. */
function meshedWorkloads(
  { model, trustDomain }: DiagnosisParts,
  connected: ReadonlyMap<string, SidecarFacts>,
): readonly MeshedWorkload[] {
  const meshed = [...model.allWorkloads()].filter((workload) => model.isMeshed(workload))
  const keys = new Set(meshed.map(({ namespace, name }) => keyOf(namespace, name)))
  const others = [...connected.keys()]
    .filter((key) => !keys.has(key))
    .flatMap((key) => model.workload(key) ?? [])
  return [...meshed, ...others]
    .map(({ namespace, name, serviceAccount }) => ({
      namespace,
      pod: name,
      serviceAccount,
      identity: formatSpiffeId({ trustDomain, namespace, serviceAccount }),
      sidecar: connected.get(keyOf(namespace, name)) ?? null,
    }))
    .toSorted((a, b) => (keyOf(a.namespace, a.pod) < keyOf(b.namespace, b.pod) ? -1 : 1))
}

/** Adds /diagnose, /sidecars and /identity. */
export function addDiagnosisPages(admin: AdminServer, parts: DiagnosisParts): void {
  const { model, snapshot, trustDomain, clock } = parts
  admin.page('GET', '/diagnose', ({ query }): AdminReply => {
    const question = questionOf(query)
    if (question === undefined)
      return {
        status: 400,
        body: 'say from=NAMESPACE/POD and to=HOST:PORT; method, path and header if they count\n',
      }
    const connected = newestOf(parts.sidecars())
    const sidecarOf = (namespace: string, pod: string) => connected.get(keyOf(namespace, pod))
    return { body: diagnose({ model, snapshot, trustDomain, sidecarOf }, question) }
  })
  admin.page('GET', '/sidecars', () => ({
    body: { sidecars: meshedWorkloads(parts, newestOf(parts.sidecars())) },
  }))
  admin.page('GET', '/identity', (): AdminReply => {
    const trust: MeshTrust = {
      version,
      nowMs: clock.wallMs(),
      trustDomain,
      leafLifetimeMs: parts.leafLifetimeMs,
      roots: parts.roots(),
    }
    return { body: trust }
  })
}
