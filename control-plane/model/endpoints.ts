/** Which of the endpoints that a service's slices list are sent to, and under which address. Pure. */
import { compareText } from './naming.ts'
import type { SliceEndpoint, Workload } from './objects.ts'

export type ServiceEndpoint = {
  readonly address: string
  /** The same endpoint's, in its other address family mostly. */
  readonly otherAddresses: readonly string[]
  readonly port: number
  readonly zone: string
  readonly forZones: readonly string[]
  readonly workload: Workload | undefined
  readonly meshed: boolean
}

/** An endpoint as a slice has it, with its own port. */
export type ListedEndpoint = ServiceEndpoint & Pick<SliceEndpoint, 'ready' | 'serving'>

function isIpv6(address: string): boolean {
  return address.includes(':')
}

/** Of one workload and port: the address of the preferred family first. */
function merge(endpoints: readonly ListedEndpoint[], preferIpv6: boolean): ServiceEndpoint {
  const sorted = endpoints.toSorted(
    (a, b) => Number(isIpv6(b.address) === preferIpv6) - Number(isIpv6(a.address) === preferIpv6),
  )
  const [{ address, port, zone, forZones, workload, meshed }] = sorted as [ListedEndpoint]
  const all = sorted.flatMap((endpoint) => [endpoint.address, ...endpoint.otherAddresses])
  const otherAddresses = [...new Set(all)].filter((other) => other !== address)
  return { address, otherAddresses, port, zone, forZones, workload, meshed }
}

/** What makes two entries one endpoint: a workload's port over both address families, or the very same address. */
function identityOf(
  { address, port, workload }: ListedEndpoint,
  families: ReadonlyMap<string, number>,
): string {
  const ofWorkload = `${workload?.namespace}/${workload?.name} ${port}`
  return workload !== undefined && families.get(ofWorkload) === 2 ? ofWorkload : `${address} ${port}`
}

/** How many address families each workload's port is listed with; 3 when one of them has several addresses. */
function familiesOf(endpoints: readonly ListedEndpoint[]): ReadonlyMap<string, number> {
  const addresses = new Map<string, Set<string>>()
  for (const { address, port, workload } of endpoints) {
    const key = `${workload?.namespace}/${workload?.name} ${port}`
    addresses.set(key, (addresses.get(key) ?? new Set()).add(address))
  }
  return new Map(
    [...addresses].map(([key, set]) => {
      const ipv6 = [...set].filter(isIpv6).length
      return [key, ipv6 <= 1 && set.size - ipv6 <= 1 ? set.size : 3]
    }),
  )
}

/**
 * Those that are ready; when nobody is, those that terminate and still answer (as kube-proxy does). A pod with an address
 * in each family is one endpoint, and so is one that two slices list while it moves between them. In a stable order.
 */
export function usableEndpoints(
  listed: readonly ListedEndpoint[],
  clusterIp: string | undefined,
): readonly ServiceEndpoint[] {
  const ready = listed.filter((endpoint) => endpoint.ready)
  const usable = ready.length > 0 ? ready : listed.filter((endpoint) => endpoint.serving)
  const families = familiesOf(usable)
  const groups = Map.groupBy(usable, (endpoint) => identityOf(endpoint, families))
  const preferIpv6 = clusterIp !== undefined && isIpv6(clusterIp)
  return [...groups.values()]
    .map((group) => merge(group, preferIpv6))
    .toSorted((a, b) => compareText(`${a.address}:${a.port}`, `${b.address}:${b.port}`))
}
