/** How a STRICT_DNS or LOGICAL_DNS cluster asks for its endpoints. */
import type { Cluster } from '../../api/xds/types.ts'
import type { EndpointConfig } from '../cluster/cluster-config.ts'
import type { DnsHosts } from '../dns/dns-endpoints.ts'
import { type FamilyChoice, ipv4Preferred } from '../dns/host-resolver.ts'
import { durationMs } from './duration.ts'
import type { Problems } from './problems.ts'

/** Envoy's. */
const defaultRefreshMs = 5_000

const choices: Readonly<Record<NonNullable<Cluster['dnsLookupFamily']>, FamilyChoice>> = {
  AUTO: { families: [6, 4], which: 'first' },
  V4_ONLY: { families: [4], which: 'first' },
  V6_ONLY: { families: [6], which: 'first' },
  V4_PREFERRED: ipv4Preferred,
  ALL: { families: [4, 6], which: 'all' },
}

export function decodeDns(cluster: Cluster, hosts: readonly EndpointConfig[], problems: Problems): DnsHosts {
  const logical = cluster.type === 'LOGICAL_DNS'
  if (logical && hosts.length !== 1)
    problems.add('load_assignment', `LOGICAL_DNS takes one endpoint, here are ${hosts.length}`)
  const refreshMs = durationMs(cluster.dnsRefreshRate) ?? defaultRefreshMs
  if (cluster.dnsRefreshRate !== undefined && refreshMs < 1)
    problems.add('dns_refresh_rate', 'must be more than a millisecond')
  return {
    hosts,
    logical,
    choice: choices[cluster.dnsLookupFamily ?? 'AUTO'],
    refreshMs,
    respectTtl: cluster.respectDnsTtl === true,
  }
}
