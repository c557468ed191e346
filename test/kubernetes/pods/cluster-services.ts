/** Services as a cluster's nodes carry them: names for the name server, and cluster addresses led to endpoints by iptables. Pure. */
import { isIPv6 } from 'node:net'

export type ServiceObject = {
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly spec: {
    readonly clusterIPs?: readonly string[]
    readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol?: string }[]
  }
}
export type SliceObject = {
  readonly metadata: {
    readonly namespace: string
    readonly labels?: Readonly<Record<string, string>>
  }
  readonly addressType: string
  readonly ports?: readonly { readonly name?: string; readonly port: number }[] | null
  readonly endpoints?:
    | readonly {
        readonly addresses: readonly string[]
        readonly hostname?: string
        readonly conditions?: { readonly ready?: boolean }
      }[]
    | null
}

const clusterDomain = 'svc.cluster.local'

function slicesOf({ metadata }: ServiceObject, slices: readonly SliceObject[]): readonly SliceObject[] {
  return slices.filter(
    (slice) =>
      slice.metadata.namespace === metadata.namespace &&
      slice.metadata.labels?.['kubernetes.io/service-name'] === metadata.name,
  )
}

function readyEndpoints(slice: SliceObject) {
  return (slice.endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false)
}

/** Every name and its addresses. */
export function serviceNames(
  services: readonly ServiceObject[],
  slices: readonly SliceObject[],
): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, readonly string[]>()
  for (const service of services) {
    const name = `${service.metadata.name}.${service.metadata.namespace}.${clusterDomain}`
    const clusterIps = (service.spec.clusterIPs ?? []).filter((ip) => ip !== 'None')
    const endpoints = slicesOf(service, slices).flatMap(readyEndpoints)
    const headless = service.spec.clusterIPs?.[0] === 'None'
    names.set(name, headless ? endpoints.flatMap(({ addresses }) => addresses) : clusterIps)
    for (const { hostname, addresses } of endpoints)
      if (hostname !== undefined) {
        const own = `${hostname}.${name}`
        names.set(own, [...(names.get(own) ?? []), ...addresses])
      }
  }
  return names
}

/** What `iptables-restore` of a family is given; connections to a cluster address go to the first endpoint that is ready. */
export function serviceRules(
  family: 4 | 6,
  services: readonly ServiceObject[],
  slices: readonly SliceObject[],
  further: readonly string[] = [],
): string {
  const rules = services.flatMap((service) => {
    const ofFamily = (ip: string): boolean => ip !== 'None' && isIPv6(ip) === (family === 6)
    const address = service.spec.clusterIPs?.find(ofFamily)
    const own = slicesOf(service, slices).filter(({ addressType }) => addressType === `IPv${family}`)
    return (service.spec.ports ?? []).flatMap(({ name, port, protocol = 'TCP' }) => {
      const slice = own.find((candidate) => readyEndpoints(candidate).length > 0)
      const target = slice?.ports?.find((candidate) => (candidate.name ?? '') === (name ?? ''))?.port
      const endpoint = slice === undefined ? undefined : readyEndpoints(slice)[0]?.addresses[0]
      if (address === undefined || target === undefined || endpoint === undefined || protocol !== 'TCP')
        return []
      const to = family === 6 ? `[${endpoint}]:${target}` : `${endpoint}:${target}`
      return [`-A CLUSTER -d ${address} -p tcp --dport ${port} -j DNAT --to-destination ${to}`]
    })
  })
  return [
    '*nat',
    ':CLUSTER - [0:0]',
    ':PREROUTING ACCEPT [0:0]',
    ':OUTPUT ACCEPT [0:0]',
    ':POSTROUTING ACCEPT [0:0]',
    '-A PREROUTING -j CLUSTER',
    '-A OUTPUT -j CLUSTER',
    // Both ends are on one bridge: the reply has to come back this way.
    '-A POSTROUTING -m conntrack --ctstate DNAT -j MASQUERADE',
    ...further,
    ...rules,
    'COMMIT',
    '',
  ].join('\n')
}
