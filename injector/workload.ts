/** What a pod is part of, for the labels of its sidecar's metrics. Pure. */
import type { Metadata } from './pod.ts'

export type Workload = {
  readonly owner: { readonly kind: OwnerKind; readonly name: string } | undefined
  /** The pod's label with the hash of its template. */
  readonly templateHashLabel: 'pod-template-hash' | 'rollouts-pod-template-hash'
}

const ownerKinds = [
  'deployment',
  'replicaset',
  'statefulset',
  'daemonset',
  'job',
  'cronjob',
  'replicationcontroller',
] as const
export type OwnerKind = (typeof ownerKinds)[number]

function ownerKind(kind: string): OwnerKind | undefined {
  return ownerKinds.find((known) => known === kind.toLowerCase())
}

/** Of a template of pods, which has no owner yet; `kind` and `name` are those of the object that it is in. */
export function workloadOfTemplate(kind: string, name: string | undefined): Workload {
  const known = ownerKind(kind)
  const owner = known === undefined || name === undefined ? undefined : { kind: known, name }
  return { owner, templateHashLabel: 'pod-template-hash' }
}

/** Of a pod. A ReplicaSet's name is its Deployment's (or Rollout's) and the hash of the template. */
export function workloadOfPod(metadata: Metadata | null | undefined): Workload {
  const labels = metadata?.labels ?? {}
  const rollout = labels['pod-template-hash'] === undefined && 'rollouts-pod-template-hash' in labels
  const templateHashLabel = rollout ? 'rollouts-pod-template-hash' : 'pod-template-hash'
  const reference = metadata?.ownerReferences?.[0]
  const kind = reference === undefined ? undefined : ownerKind(reference.kind)
  if (reference === undefined || kind === undefined) return { owner: undefined, templateHashLabel }
  const suffix = `-${labels[templateHashLabel] ?? ''}`
  if (kind === 'replicaset' && suffix !== '-' && reference.name.endsWith(suffix)) {
    return { owner: { kind: 'deployment', name: reference.name.slice(0, -suffix.length) }, templateHashLabel }
  }
  return { owner: { kind, name: reference.name }, templateHashLabel }
}
