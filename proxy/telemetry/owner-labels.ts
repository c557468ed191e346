/** Linkerd's labels for what owns a pod. */

/** By the owner's kind in lower case; `job` is a label of Prometheus itself. */
const labelNames: ReadonlyMap<string, string> = new Map([
  ['deployment', 'deployment'],
  ['replicaset', 'replicaset'],
  ['statefulset', 'statefulset'],
  ['daemonset', 'daemonset'],
  ['job', 'k8s_job'],
  ['cronjob', 'cronjob'],
  ['replicationcontroller', 'replicationcontroller'],
])

/** Of `kind/name`, e.g. statefulset/redis; none for a kind that has no label. `prefix` is `dst_` for the other side's. */
export function ownerLabels(owner: string | undefined, prefix = ''): Readonly<Record<string, string>> {
  const [kind = '', name = ''] = owner?.split('/') ?? []
  const label = labelNames.get(kind)
  return label === undefined || name === '' ? {} : { [`${prefix}${label}`]: name }
}
