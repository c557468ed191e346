import { expect, test } from 'vitest'
import { decode, encode } from '../../api/xds/codec.ts'
import type { Cluster } from '../../api/xds/types.ts'
import { decodeCluster } from './decode-cluster.ts'
import { Problems } from './problems.ts'

const name = 'envoy.config.cluster.v3.Cluster'
const host = (address: string, portValue = 443) => ({
  endpoint: { address: { socketAddress: { address, portValue } } },
})

function read(cluster: Cluster, hosts = [host('api.example')]) {
  const problems = new Problems()
  const whole: Cluster = {
    name: 'c',
    type: 'STRICT_DNS',
    loadAssignment: { endpoints: [{ lbEndpoints: hosts }] },
  }
  const { endpoints } = decodeCluster(decode(name, encode(name, { ...whole, ...cluster })), problems)
  return { dns: 'dns' in endpoints ? endpoints.dns : undefined, problems: problems.list }
}

test('the names of a cluster are what is asked for, in the order of families that it prefers', () => {
  expect(read({}).dns).toMatchObject({
    hosts: [{ address: 'api.example', port: 443 }],
    logical: false,
    choice: { families: [6, 4], which: 'first' },
    refreshMs: 5_000,
    respectTtl: false,
  })
  const asked = read({
    type: 'LOGICAL_DNS',
    dnsLookupFamily: 'ALL',
    dnsRefreshRate: { seconds: 30 },
    respectDnsTtl: true,
  })
  expect(asked.dns).toMatchObject({
    logical: true,
    choice: { families: [4, 6], which: 'all' },
    refreshMs: 30_000,
    respectTtl: true,
  })
})

test.each<[Cluster, ReturnType<typeof host>[], string]>([
  [
    { type: 'LOGICAL_DNS' },
    [host('a'), host('b')],
    'load_assignment: LOGICAL_DNS takes one endpoint, here are 2',
  ],
  [{ dnsRefreshRate: { nanos: 1_000 } }, [host('a')], 'dns_refresh_rate: must be more than a millisecond'],
  [
    {},
    [host('a', 0)],
    'load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.port_value: 0 is no port',
  ],
])('%j is refused', (cluster, hosts, problem) => {
  expect(read(cluster, hosts).problems).toEqual([problem])
})
