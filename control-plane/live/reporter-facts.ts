/** Who reports: what its token proved, what the model knows of its pod, and what it says of itself, in this order. Pure. */
import type { LiveSidecar, LiveWorkload } from '../../api/live.ts'
import { formatSpiffeId } from '../../api/spiffe.ts'
import { fromStruct } from '../../api/xds/struct.ts'
import type { Node } from '../../api/xds/types.ts'
import type { WorkloadIdentity } from '../ca/authenticator.ts'
import type { Workload } from '../model/objects.ts'

export type ReporterFacts = { readonly source: LiveWorkload; readonly sidecar: LiveSidecar | undefined }

const ownerKinds: ReadonlyMap<string, string> = new Map(
  ['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob', 'ReplicationController'].map(
    (kind) => [kind.toLowerCase(), kind],
  ),
)
const longestName = 253

function shown(value: unknown): string {
  return typeof value === 'string' && value.length <= longestName ? value : ''
}

/** `identity` is undefined for stock clients without a token, which are taken for what they say. */
export function reporterFacts(
  node: Node | undefined,
  identity: WorkloadIdentity | undefined,
  parts: {
    readonly trustDomain: string
    readonly connectedAtMs: number
    readonly workload: (namespace: string, pod: string) => Workload | undefined
  },
): ReporterFacts {
  const facts = fromStruct(node?.metadata)
  const namespace = identity?.namespace ?? shown(facts['NAMESPACE'])
  const pod = shown(facts['POD']) || shown(node?.id)
  const source = sourceOf(namespace, pod, shown(facts['OWNER']), identity, parts.workload(namespace, pod))
  if (facts['WEFT'] !== 'sidecar' || identity === undefined) return { source, sidecar: undefined }
  const notAfterMs = facts['CERTIFICATE_NOT_AFTER_MS']
  return {
    source,
    sidecar: {
      workload: source,
      pod,
      identity: formatSpiffeId({ trustDomain: parts.trustDomain, ...identity }),
      version: shown(node?.userAgentVersion),
      connectedAtMs: parts.connectedAtMs,
      certificateNotAfterMs: typeof notAfterMs === 'number' ? notAfterMs : null,
    },
  }
}

function sourceOf(
  namespace: string,
  pod: string,
  owner: string,
  identity: WorkloadIdentity | undefined,
  workload: Workload | undefined,
): LiveWorkload {
  // Another's pod is not taken over by its name.
  const known = workload !== undefined && workload.serviceAccount === identity?.serviceAccount
  if (known && workload.deployment !== undefined)
    return { namespace, name: workload.deployment, kind: 'Deployment' }
  const [kind = '', name = ''] = owner.split('/')
  const ownerKind = ownerKinds.get(kind)
  if (ownerKind !== undefined && name !== '') return { namespace, name, kind: ownerKind }
  return { namespace, name: pod, kind: 'Pod' }
}
