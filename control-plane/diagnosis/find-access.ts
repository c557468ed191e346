/** Whether the rules of access of the workloads that are called let the request pass. Pure. */
import type { DiagnosedEndpoint, DiagnosedRequest, DiagnosisStep } from '../../api/diagnosis.ts'
import { formatSpiffeId } from '../../api/spiffe.ts'
import { parseAddress } from '../../core/address.ts'
import { portAccess } from '../model/access.ts'
import { type AccessDecision, decideAccess } from '../model/access-decision.ts'
import type { Workload } from '../model/objects.ts'
import type { Mesh } from './find-endpoints.ts'

type Decided = {
  readonly workload: string
  readonly decision: AccessDecision
  readonly principal: string | undefined
}

function decidedAt(
  { model, trustDomain, sidecarOf }: Mesh,
  source: Workload,
  { address, workload: key, meshed, applicationPort }: DiagnosedEndpoint,
  { method, path, headers }: DiagnosedRequest,
): readonly Decided[] {
  const workload = key === null ? undefined : model.workload(key)
  // Without a sidecar there is nobody to deny anything.
  if (workload === undefined || !meshed) return []
  // A sidecar that is there proves somebody, whatever the pod says of itself.
  const proven = sidecarOf(source.namespace, source.name)?.identity ?? undefined
  const principal =
    proven ?? (model.isMeshed(source) ? formatSpiffeId({ trustDomain, ...source }) : undefined)
  const port = { listen: parseAddress(address)?.port ?? applicationPort, application: applicationPort }
  const question = {
    principal,
    address: source.addresses[0],
    port: applicationPort,
    method,
    path: path.replace(/\?.*$/s, ''),
    headers,
  }
  const decision = decideAccess(portAccess(model, workload, port), question, trustDomain)
  return decision === undefined ? [] : [{ workload: key as string, decision, principal }]
}

function denial({ workload, decision, principal }: Decided, outcome: 'fails' | 'warning'): DiagnosisStep {
  const mtls = principal === undefined && /\/(?:mtls|default-inbound-policy)$/.test(decision.rule)
  return {
    place: 'policy',
    id: mtls ? 'MESH_TLS_REQUIRED' : 'ACCESS_DENIED',
    outcome,
    message: mtls
      ? `${workload} takes mesh mTLS only (${decision.rule}), and who calls has no sidecar: 403`
      : `${workload} denies it to ${principal ?? 'clients in clear'}, by ${decision.rule}: 403`,
    hint: mtls
      ? 'give the pod that calls a sidecar, or make the policy permissive'
      : 'add a rule that allows it to an AccessPolicy of the workload, or take away the one that denies it',
  }
}

export function findAccess(
  mesh: Mesh,
  source: Workload | undefined,
  endpoints: readonly DiagnosedEndpoint[],
  request: DiagnosedRequest,
): readonly DiagnosisStep[] {
  if (source === undefined) return []
  const decided = endpoints.flatMap((endpoint) => decidedAt(mesh, source, endpoint, request))
  const denied = decided.filter(({ decision }) => !decision.allowed)
  // Endpoints of one policy say the same.
  const first = [...new Map(denied.map((one) => [one.decision.rule, one])).values()]
  if (first.length > 0)
    return first.map((one) => denial(one, denied.length === endpoints.length ? 'fails' : 'warning'))
  const [allowed] = decided
  if (allowed === undefined) return []
  const message = `it is allowed, by ${allowed.decision.rule}`
  return [{ place: 'policy', id: 'ACCESS_ALLOWED', outcome: 'ok', message, hint: '' }]
}
