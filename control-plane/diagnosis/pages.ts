/** The pages that say why a request does not arrive, who is connected, and what the mesh is trusted by. */
import type { DiagnosedRequest, MeshedWorkload, MeshTrust, SidecarFacts } from '../../api/diagnosis.ts'
import { lagOf, nextPhase, type RotationPhase } from '../../api/rotation.ts'
import { formatSpiffeId } from '../../api/spiffe.ts'
import type { AdminReply, AdminServer } from '../../core/admin-server.ts'
import type { Clock } from '../../core/clock.ts'
import { describe } from '../../core/errors.ts'
import { version } from '../../core/version.ts'
import type { MeshTrust as TrustInForce } from '../ca/mesh-trust.ts'
import { keyOf, type MeshModel } from '../model/mesh-model.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { diagnose, type DiagnosisQuestion } from './diagnose.ts'

export type DiagnosisParts = {
  readonly model: MeshModel
  readonly snapshot: Snapshot
  readonly trustDomain: string
  readonly leafLifetimeMs: number
  readonly trust: TrustInForce
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

function byPod(sidecars: readonly SidecarFacts[]): ReadonlyMap<string, SidecarFacts> {
  return new Map(sidecars.map((sidecar) => [keyOf(sidecar.namespace, sidecar.pod), sidecar]))
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

/** Adds /diagnose, /sidecars, /identity and /identity/rotate. */
export function addDiagnosisPages(admin: AdminServer, parts: DiagnosisParts): void {
  const { model, snapshot, trustDomain } = parts
  admin.page('GET', '/diagnose', ({ query }): AdminReply => {
    const question = questionOf(query)
    if (question === undefined)
      return {
        status: 400,
        body: 'say from=NAMESPACE/POD and to=HOST:PORT; method, path and header if they count\n',
      }
    const connected = byPod(parts.sidecars())
    const sidecarOf = (namespace: string, pod: string) => connected.get(keyOf(namespace, pod))
    return { body: diagnose({ model, snapshot, trustDomain, sidecarOf }, question) }
  })
  admin.page('GET', '/sidecars', () => ({
    body: { sidecars: meshedWorkloads(parts, byPod(parts.sidecars())) },
  }))
  admin.page('GET', '/identity', (): AdminReply => ({ body: meshTrust(parts) }))
  admin.page('POST', '/identity/rotate', ({ query }) => rotate(parts, query.get('to') ?? ''))
}

function meshTrust({ trust, trustDomain, leafLifetimeMs, clock }: DiagnosisParts): MeshTrust {
  const { phase, bundle, issuingRoot, bundlePem } = trust.current
  return {
    version,
    nowMs: clock.wallMs(),
    trustDomain,
    leafLifetimeMs,
    roots: bundlePem,
    rotation: { phase, bundle, issuingRoot },
    rotates: trust.rotates,
  }
}

/** Sidecars of other replicas are not known here: who drives the rotation has asked these before. */
async function rotate(parts: DiagnosisParts, to: string): Promise<AdminReply> {
  const { trust, sidecars } = parts
  if (!isRotationPhase(to)) return { status: 400, body: `say to=${Object.keys(nextPhase).join(', to=')}\n` }
  const late = sidecars().flatMap((sidecar) => {
    const lag = lagOf(trust.current, sidecar)
    return lag === undefined ? [] : [`${sidecar.namespace}/${sidecar.pod}: ${lag}`]
  })
  if (late.length > 0) return { status: 409, body: `${late.join('\n')}\n` }
  try {
    await trust.advance(to)
  } catch (error) {
    return { status: 409, body: `${describe(error)}\n` }
  }
  return { body: meshTrust(parts) }
}

function isRotationPhase(text: string): text is RotationPhase {
  return Object.hasOwn(nextPhase, text)
}
