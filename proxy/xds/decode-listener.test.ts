import { expect, test } from 'vitest'
import { pack } from '../../api/xds/codec.ts'
import { weftMetadata } from '../../api/xds/naming.ts'
import { toStruct } from '../../api/xds/struct.ts'
import { httpRbacName } from './decode-access.ts'
import { decodeListener, managerName } from './decode-listener.ts'
import { limitName } from './decode-rate-limit.ts'
import { faultName } from './decode-route-policy.ts'
import { Problems } from './problems.ts'

test("a destination's filters are those of its routes: one that would act for all of them is refused", () => {
  const problems = new Problems()
  const httpFilters = [
    pack(faultName, {}),
    pack(faultName, { abort: { httpStatus: 503 } }),
    pack(limitName, { statPrefix: 'l' }),
    pack(httpRbacName, {}),
  ].map((typedConfig) => ({ typedConfig }))
  const manager = pack(managerName, { rds: { routeConfigName: 'r' }, httpFilters })
  decodeListener({ apiListener: { apiListener: manager } }, problems)
  expect(problems.list).toEqual([
    'api_listener.http_filters[1]: is not supported: routes have their own',
    'api_listener.http_filters[2]: is not supported: routes have their own',
    'api_listener.http_filters[3]: is not supported: routes have their own',
  ])
})

test('a sidecar is told where it is by its own listener; what is no text is refused', () => {
  const inbound = (facts: Parameters<typeof toStruct>[0]) => {
    const problems = new Problems()
    const filterMetadata = { [weftMetadata]: toStruct(facts) }
    const decoded = decodeListener({ trafficDirection: 'INBOUND', metadata: { filterMetadata } }, problems)
    return [decoded.kind === 'inbound' ? decoded.config.zone : decoded, problems.list]
  }
  expect(inbound({ zone: 'a' })).toEqual(['a', []])
  expect(inbound({})).toEqual([undefined, []])
  expect(inbound({ zone: 1 })).toEqual([
    undefined,
    [`metadata.filter_metadata.${weftMetadata}.zone: is no text`],
  ])
})

test('each port has its own rules of access, and those that have no chain the ones of the default chain', () => {
  const network = (name: string) => ({
    typedConfig: pack('envoy.extensions.filters.network.rbac.v3.RBAC', {
      rules: { action: 'DENY', policies: { [name]: {} } },
    }),
  })
  const tcp = pack('envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', { cluster: 'inbound:6379' })
  const problems = new Problems()
  const decoded = decodeListener(
    {
      trafficDirection: 'INBOUND',
      useOriginalDst: { value: true },
      filterChains: [{ filters: [network('own'), { typedConfig: tcp }] }],
      defaultFilterChain: { filters: [network('others')] },
    },
    problems,
  )
  expect(problems.list).toEqual([])
  expect(decoded).toMatchObject({
    config: {
      access: { deny: [{ name: 'others' }] },
      ports: [{ applicationPort: 6379, protocol: 'opaque', access: { deny: [{ name: 'own' }] } }],
    },
  })
})
