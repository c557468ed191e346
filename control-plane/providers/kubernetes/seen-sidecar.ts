/** Whether a pod of a cluster has a sidecar is seen, not believed: what its namespace asks for may not have been done. Pure. */
import { proxyContainerName } from '../../../api/deployment.ts'
import type { Change } from '../../model/objects.ts'

type PodSpec = { readonly containers?: unknown; readonly initContainers?: unknown }

function hasSidecar(object: unknown): boolean {
  const { spec } = object as { readonly spec?: PodSpec | null }
  return [spec?.containers, spec?.initContainers]
    .flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []))
    .some((container) => (container as { readonly name?: unknown } | null)?.name === proxyContainerName)
}

/** The pod's change, of the mesh if its sidecar is there; the injector may have been away, or have had reasons. */
export function withSeenSidecar(change: Change | undefined, object: unknown): Change | undefined {
  if (change?.kind !== 'workload' || change.value === undefined) return change
  return { ...change, value: { ...change.value, inject: hasSidecar(object) } }
}
