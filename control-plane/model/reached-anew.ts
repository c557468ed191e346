/** What a change of a slice means to the workloads behind it. Pure. */
import type { EndpointSlice } from './objects.ts'

function workloadsOf(slice: EndpointSlice | undefined): ReadonlySet<string> {
  return new Set(slice?.endpoints.flatMap((endpoint) => endpoint.workload ?? []) ?? [])
}

/** Workloads that a slice begins or ceases to lead to may get other limits; those that stay have theirs already. */
export function reachedAnew(
  before: EndpointSlice | undefined,
  after: EndpointSlice | undefined,
): readonly string[] {
  const samePorts = JSON.stringify(before?.ports) === JSON.stringify(after?.ports)
  const old = workloadsOf(before)
  const now = workloadsOf(after)
  return [...new Set([...old, ...now])].filter((key) => !samePorts || !old.has(key) || !now.has(key))
}
