/** Whether the sidecars at both ends are there, are who they should be, and take what they are sent. Pure. */
import type { DiagnosedEndpoint, DiagnosisStep, SidecarFacts } from '../../api/diagnosis.ts'
import { formatSpiffeId } from '../../api/spiffe.ts'
import { keyOf, type MeshModel } from '../model/mesh-model.ts'
import type { Workload } from '../model/objects.ts'
import type { Mesh } from './find-endpoints.ts'

function refusals({ namespace, pod, refused }: SidecarFacts): readonly DiagnosisStep[] {
  return refused.map(({ kind, reason }) => ({
    place: 'sidecar',
    id: 'CONFIG_REFUSED',
    outcome: 'fails',
    message: `the sidecar of ${keyOf(namespace, pod)} refuses a ${kind} that it is sent, and keeps the one before: ${reason}`,
    hint: 'run the same version on both sides, or correct the object that it comes from',
  }))
}

function wrongIdentity(
  place: 'source' | 'identity',
  key: string,
  shown: string,
  expected: string,
): DiagnosisStep {
  return {
    place,
    id: 'IDENTITY_MISMATCH',
    outcome: 'fails',
    message: `the sidecar of ${key} is ${shown}, and not ${expected} as its pod says: nobody takes it for the pod`,
    hint: "run it with the pod's own ServiceAccount, or correct the pod's serviceAccountName",
  }
}

/** A pod of this name that somebody forgot to say the namespace of. */
function elsewhere(model: MeshModel, pod: string): string | undefined {
  for (const { namespace, name } of model.allWorkloads())
    if (name === pod) return `did you mean ${keyOf(namespace, name)}?`
  return undefined
}

/** The client's own side. */
export function findSource(mesh: Mesh, namespace: string, pod: string): readonly DiagnosisStep[] {
  const { model, trustDomain, sidecarOf } = mesh
  const key = keyOf(namespace, pod)
  const workload = model.workload(key)
  const sidecar = sidecarOf(namespace, pod)
  if (workload === undefined)
    return [
      {
        place: 'source',
        id: 'SOURCE_UNKNOWN',
        outcome: 'fails',
        message: `there is no pod ${key}`,
        hint:
          elsewhere(model, pod) ??
          'say NAMESPACE/POD of a pod that runs; weft identity lists those with a sidecar',
      },
    ]
  if (sidecar === undefined) return [withoutSidecar(model, workload, key)]
  const expected = formatSpiffeId({ trustDomain, ...workload })
  if (sidecar.identity !== null && sidecar.identity !== expected)
    return [wrongIdentity('source', key, sidecar.identity, expected)]
  const connected: DiagnosisStep = {
    place: 'source',
    id: 'SOURCE_CONNECTED',
    outcome: 'ok',
    message: `the sidecar of ${key} is connected, as ${sidecar.identity ?? 'nobody'}`,
    hint: '',
  }
  return [connected, ...refusals(sidecar)]
}

function withoutSidecar(model: MeshModel, workload: Workload, key: string): DiagnosisStep {
  if (!model.isMeshed(workload))
    return {
      place: 'source',
      id: 'SOURCE_NOT_MESHED',
      subject: key,
      outcome: 'warning',
      message: `${key} has no sidecar: no route, split, policy or mTLS counts for what it sends`,
      hint: 'annotate its namespace with weft.dev/inject: enabled and make the pod anew',
    }
  return {
    place: 'source',
    id: 'SOURCE_NOT_CONNECTED',
    subject: key,
    outcome: 'fails',
    message: `the sidecar of ${key} is not connected: it goes on with what it knew, and knows no name that is new to it`,
    hint: 'see whether it runs, and what its log says of the control plane and its certificate',
  }
}

type Trouble = { readonly step: DiagnosisStep }

function troubleOf({ workload, address, meshed, identity, sidecar }: DiagnosedEndpoint): readonly Trouble[] {
  if (!meshed || workload === null || identity === null) return []
  if (sidecar === null)
    return [
      {
        step: {
          place: 'identity',
          id: 'ENDPOINT_NOT_CONNECTED',
          subject: workload,
          outcome: 'fails',
          message: `the sidecar of ${workload} (${address}) is not connected: it has not enrolled, or does not run`,
          hint: 'make the pod anew if it has no sidecar, else see its log',
        },
      },
    ]
  if (sidecar.identity !== identity)
    return [{ step: wrongIdentity('identity', workload, sidecar.identity ?? 'nobody', identity) }]
  return refusals(sidecar).map((step) => ({ step }))
}

/** The other side. What is wrong with some endpoints only makes some requests fail. */
export function findPeers(endpoints: readonly DiagnosedEndpoint[]): readonly DiagnosisStep[] {
  if (endpoints.length === 0) return []
  const troubles = endpoints.map(troubleOf)
  const every = troubles.every((list) => list.length > 0)
  const steps = troubles.flat().map(({ step }) => (every ? step : { ...step, outcome: 'warning' as const }))
  if (steps.length > 0) return steps
  const meshed = endpoints.filter((endpoint) => endpoint.meshed).length
  const message =
    meshed === endpoints.length
      ? 'every endpoint has a sidecar that is connected and is who it should be: mTLS'
      : `${meshed} of ${endpoints.length} endpoints are meshed; the others are spoken to in clear`
  return [
    {
      place: 'identity',
      id: meshed === endpoints.length ? 'PEERS_CONNECTED' : 'IN_CLEAR',
      outcome: 'ok',
      message,
      hint: '',
    },
  ]
}
