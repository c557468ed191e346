/** What is answered to one request for admission. */
import type { AdmissionRequest, Verdict } from './admission-review.ts'
import { decide, decidesItself, isBareCopy, type NamespaceMetadata } from './decide.ts'
import { inject } from './inject.ts'
import { jsonPatch } from './patch.ts'
import { readPod } from './read-pod.ts'
import type { SidecarPlan } from './sidecar-plan.ts'
import { workloadOfPod } from './workload.ts'

export type AdmitParts = {
  /** Rejects with a KUBERNETES_ code. */
  readonly namespaceOf: (name: string) => Promise<NamespaceMetadata>
  /** Throws while what sidecars need is not known; other pods are none the worse for it. */
  readonly plan: () => SidecarPlan
}

const unknownNamespace: NamespaceMetadata = { annotations: {}, labels: {} }

function untouched(reason: string, warnings: readonly string[] = []): Verdict {
  return { allowed: true, patch: [], warnings, reason }
}

/** Rejects when the namespace, or for a pod of the mesh the plan, cannot be had: then the webhook's failurePolicy is to decide. */
export async function admit(request: AdmissionRequest, parts: AdmitParts): Promise<Verdict> {
  if (!request.isPod || request.operation !== 'CREATE') return untouched('it is not a new pod')
  const read = readPod(request.object)
  if (!read.ok)
    return { allowed: false, code: 400, reason: `weft cannot read this pod: ${read.problems.join('; ')}` }
  const { pod } = read
  const namespace = decidesItself(pod) ? unknownNamespace : await parts.namespaceOf(request.namespace)
  const decision = decide(pod, namespace)
  const injection =
    decision.kind !== 'inject' && !isBareCopy(pod)
      ? decision
      : inject(pod, namespace, parts.plan(), workloadOfPod(pod.metadata))
  switch (injection.kind) {
    case 'skip':
      return untouched(injection.reason, injection.warn ? [`weft adds no sidecar: ${injection.reason}`] : [])
    case 'refuse':
      return { allowed: false, code: 403, reason: `weft cannot add its sidecar: ${injection.reason}` }
    case 'injected': {
      const warnings = injection.warnings.map((warning) => `weft: ${warning}`)
      return { allowed: true, patch: jsonPatch(pod, injection.pod), warnings, reason: 'injected' }
    }
  }
}
