/** Who a request is sent to, in the end: backends with their shares, and the endpoints behind them. Pure. */
import type { DiagnosedBackend, DiagnosedEndpoint, DiagnosisStep, SidecarFacts } from '../../api/diagnosis.ts'
import { formatSpiffeId } from '../../api/spiffe.ts'
import { formatAddress } from '../../core/address.ts'
import type { ServiceEndpoint } from '../model/endpoints.ts'
import { externalTarget, portOf } from '../model/external-name.ts'
import { keyOf, type MeshModel } from '../model/mesh-model.ts'
import { missingEndpoints } from '../model/missing-endpoints.ts'
import type { Backend, Rule } from '../model/rule.ts'
import { backendName } from '../snapshot/route-filters.ts'
import { backendTroubles } from './find-rule.ts'

/** What the walk is made over. */
export type Mesh = {
  readonly model: MeshModel
  readonly trustDomain: string
  readonly sidecarOf: (namespace: string, pod: string) => SidecarFacts | undefined
}

export function describeEndpoint(
  { trustDomain, sidecarOf }: Pick<Mesh, 'trustDomain' | 'sidecarOf'>,
  { address, port, workload, meshed }: ServiceEndpoint,
): DiagnosedEndpoint {
  const mapped = workload?.inbound.find((mapping) => mapping.port === port)
  return {
    address: formatAddress({ host: address, port }),
    workload: workload === undefined ? null : keyOf(workload.namespace, workload.name),
    meshed,
    identity: meshed && workload !== undefined ? formatSpiffeId({ trustDomain, ...workload }) : null,
    applicationPort: mapped?.applicationPort ?? port,
    sidecar: workload === undefined ? null : (sidecarOf(workload.namespace, workload.name) ?? null),
  }
}

/** Why a backend that exists has nobody to answer. */
function nobody(model: MeshModel, { key, port }: Backend): DiagnosisStep {
  const missing = missingEndpoints(model, key, portOf(model.service(key), port)?.name ?? '')
  const portless = missing?.reason === 'port-missing'
  const why = {
    'none-ready': `none of the ${missing?.listed} endpoints of ${key} is ready`,
    'port-missing': `no endpoint of ${key} has its port ${port}`,
    'no-pods': `no pod is behind Service ${key}`,
  }[missing?.reason ?? 'no-pods']
  return {
    place: 'endpoint',
    id: portless ? 'ENDPOINT_PORT_MISSING' : 'NO_READY_ENDPOINT',
    outcome: 'fails',
    message: `${why}: 503`,
    hint: portless
      ? 'let the targetPort of the Service name a port of the pods'
      : 'see whether the selector matches pods, and why these are not ready',
  }
}

function endpointSteps(mesh: Mesh, backend: Backend, alone: boolean, endpoints: readonly ServiceEndpoint[]) {
  const { model } = mesh
  const service = model.service(backend.key)
  const target = service === undefined ? undefined : externalTarget(model, service)
  if (target?.kind === 'host')
    return [step('ok', 'HOST_OUTSIDE', `${backend.key} is the host ${target.host}, outside of the mesh`)]
  if (endpoints.length > 0) {
    const count = endpoints.length === 1 ? '1 endpoint' : `${endpoints.length} endpoints`
    return [step('ok', 'ENDPOINTS_READY', `${backend.key}:${backend.port} has ${count} to send to`)]
  }
  const trouble = nobody(model, backend)
  return [alone ? trouble : { ...trouble, outcome: 'warning' as const }]
}

function step(outcome: DiagnosisStep['outcome'], id: string, message: string): DiagnosisStep {
  return { place: 'endpoint', id, outcome, message, hint: '' }
}

function endpointsOf(model: MeshModel, { key, port }: Backend): readonly ServiceEndpoint[] {
  const service = model.service(key)
  const target = service === undefined ? undefined : externalTarget(model, service)
  const [there, owner] = target?.kind === 'service' ? [target.key, target.service] : [key, service]
  return model.endpoints(there, portOf(owner, port)?.name ?? '')
}

const nowhere = (id: string, message: string, hint: string): DiagnosisStep => ({
  place: 'backend',
  id,
  outcome: 'fails',
  message,
  hint,
})

/** The backends that a rule sends to, and what there is to say of each. */
export function findEndpoints(
  mesh: Mesh,
  rule: Rule,
): { readonly steps: readonly DiagnosisStep[]; readonly backends: readonly DiagnosedBackend[] } {
  const { model } = mesh
  const total = rule.backends.reduce((sum, { weight }) => sum + weight, 0)
  const live = rule.backends.filter(({ weight }) => weight > 0)
  const troubles = backendTroubles(model, rule)
  const because = troubles === '' ? '' : `: ${troubles}`
  if (rule.backends.length === 0)
    return {
      steps: [
        nowhere(
          'NO_BACKEND',
          `rule ${rule.name} has no backend: 500${because}`,
          'give the rule a backend, or correct it',
        ),
      ],
      backends: [],
    }
  if (total === 0)
    return {
      steps: [
        nowhere(
          'WEIGHTS_ZERO',
          `every backend of rule ${rule.name} weighs 0: 500`,
          'give one of them a weight',
        ),
      ],
      backends: [],
    }
  const sent = live.flatMap(({ backend, weight }) =>
    backend === undefined
      ? []
      : [{ backend, sharePercent: (100 * weight) / total, endpoints: endpointsOf(model, backend) }],
  )
  const steps: DiagnosisStep[] = []
  const lost = live.reduce((sum, { backend, weight }) => sum + (backend === undefined ? weight : 0), 0)
  if (lost > 0)
    steps.push({
      place: 'backend',
      id: 'BACKEND_UNKNOWN',
      outcome: sent.length === 0 ? 'fails' : 'warning',
      message: `${percent((100 * lost) / total)} of the requests get 500${because}`,
      hint: 'correct the backendRefs, or create the Service that they name',
    })
  else steps.push({ place: 'backend', id: 'BACKENDS_KNOWN', outcome: 'ok', message: shares(sent), hint: '' })
  const anybody = sent.some(
    ({ backend, endpoints }) => endpoints.length > 0 || hostOf(model, backend) !== undefined,
  )
  for (const { backend, endpoints } of sent) steps.push(...endpointSteps(mesh, backend, !anybody, endpoints))
  return {
    steps,
    backends: sent.map((one) => describeBackend(mesh, one)),
  }
}

type SentTo = {
  readonly backend: Backend
  readonly sharePercent: number
  readonly endpoints: readonly ServiceEndpoint[]
}

function describeBackend(mesh: Mesh, { backend, sharePercent, endpoints }: SentTo): DiagnosedBackend {
  return {
    cluster: backendName(backend),
    sharePercent,
    endpoints: endpoints.map((endpoint) => describeEndpoint(mesh, endpoint)),
    host: hostOf(mesh.model, backend) ?? null,
  }
}

/** Undefined where its endpoints are the mesh's. */
function hostOf(model: MeshModel, { key }: Backend): string | undefined {
  const service = model.service(key)
  const target = service === undefined ? undefined : externalTarget(model, service)
  return target?.kind === 'host' ? target.host : undefined
}

function percent(value: number): string {
  return `${Number(value.toFixed(1))} %`
}

function shares(sent: readonly { readonly backend: Backend; readonly sharePercent: number }[]): string {
  return sent
    .map(({ backend, sharePercent }) => `${percent(sharePercent)} to ${backend.key}:${backend.port}`)
    .join(', ')
}
