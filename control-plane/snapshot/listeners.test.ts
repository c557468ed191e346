import { expect, test } from 'vitest'
import { decode, unpackAs } from '../../api/xds/codec.ts'
import { httpInspector, weftMetadata } from '../../api/xds/naming.ts'
import { fromStruct } from '../../api/xds/struct.ts'
import { resourceNames } from '../../api/xds/type-urls.ts'
import type { FilterChain, Listener } from '../../api/xds/types.ts'
import { parsePortRanges } from '../../core/port-ranges.ts'
import { MeshModel } from '../model/mesh-model.ts'
import type { Change } from '../model/objects.ts'
import { namespaceShop, service, split, workload } from '../model/test-objects.ts'
import type { ClientKind } from './client-kind.ts'
import { managerName } from './listeners.ts'
import { Snapshot } from './snapshot.ts'

const address = '10.96.0.1'

function setUp(...changes: readonly Change[]) {
  const model = new MeshModel()
  const snapshot = new Snapshot(model, { trustDomain: 'cluster.local', trustBundlePem: () => '' })
  const change = (...more: readonly Change[]) => snapshot.invalidate(model.apply(more))
  change(service('catalog', 8080, [address]), service('catalog-v2'), ...changes)
  const listener = (name: string, client: ClientKind = 'sidecar'): Listener => {
    const resource = snapshot.get('listener', name, client, 'shop')
    if (resource === undefined) throw new Error(`no listener ${name}`)
    return decode(resourceNames.listener, resource.bytes)
  }
  return { change, listener }
}

function tcpProxyOf(chain: FilterChain | undefined) {
  const config = chain?.filters?.[0]?.typedConfig
  return unpackAs('envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', config)
}

function clustersOf({ defaultFilterChain }: Listener): readonly (string | undefined)[] {
  return tcpProxyOf(defaultFilterChain)?.weightedClusters?.clusters?.map(({ name }) => name) ?? []
}

test('a sidecar is told where connections go, others are not', () => {
  const { listener } = setUp()
  expect(clustersOf(listener(`${address}:8080`))).toEqual(['catalog.shop.svc.cluster.local:8080'])
  for (const client of ['grpc', 'envoy'] as const)
    expect(listener(`${address}:8080`, client).defaultFilterChain ?? undefined).toBeUndefined()
})

test('a split is followed by the name of its apex, and by its address', () => {
  const { change, listener } = setUp()
  listener(`${address}:8080`)
  const touched = change(split('s', { 'catalog-v2': 1000 }))
  expect([...touched].toSorted()).toEqual([`address:${address}`, 'service:shop/catalog'])
  for (const name of [`${address}:8080`, 'catalog.shop:8080'])
    expect(clustersOf(listener(name))).toEqual(['catalog-v2.shop.svc.cluster.local:8080'])
})

test('an opaque port is inspected by nobody', () => {
  const { listener } = setUp(service('db', 3306))
  expect(listener('catalog.shop:8080').listenerFilters?.map(({ name }) => name)).toEqual([httpInspector])
  expect(listener('db.shop:3306').listenerFilters ?? []).toEqual([])
})

/** The names of what denies, by chain. */
function denials({
  filterChains = [],
  defaultFilterChain,
}: Listener): Readonly<Record<string, readonly string[]>> {
  const chains = [...filterChains, ...(defaultFilterChain ? [defaultFilterChain] : [])]
  const namesOf = (chain: FilterChain): readonly string[] => {
    const filters = (chain.filters ?? []).flatMap((filter) => [
      filter,
      ...(unpackAs(managerName, filter.typedConfig)?.httpFilters ?? []),
    ])
    return filters.flatMap(({ typedConfig }) => {
      const rules = (
        unpackAs('envoy.extensions.filters.http.rbac.v3.RBAC', typedConfig) ??
        unpackAs('envoy.extensions.filters.network.rbac.v3.RBAC', typedConfig)
      )?.rules
      return rules?.action === 'DENY' ? Object.keys(rules.policies ?? {}) : []
    })
  }
  return Object.fromEntries(chains.map((chain) => [chain.name, namesOf(chain)]))
}

test('a workload that takes mesh TLS only has a rule that denies the rest, on ports that nobody has named as well', () => {
  const strict = { inboundPolicy: 'all-authenticated' } as const
  const { change, listener } = setUp(
    workload('db-0', strict),
    workload('db-1'),
    workload('db-2', { containerPorts: [] }),
  )
  const told = (name: string) => denials(listener(`inbound/shop/${name}`))
  const own = ['annotation/shop/db-0/default-inbound-policy']
  expect(told('db-0')).toEqual({ 'inbound:8080-mesh': own, 'inbound:8080-plain': own, others: own })
  expect(told('db-1')).toEqual({ 'inbound:8080-mesh': [], 'inbound:8080-plain': [] })
  change(namespaceShop(strict))
  const ofNamespace = ['annotation/shop/default-inbound-policy']
  expect(told('db-1')['inbound:8080-plain']).toEqual(ofNamespace)
  expect(told('db-2')).toEqual({ others: ofNamespace })
  change(workload('db-1', { inboundPolicy: 'all-unauthenticated' }))
  expect(told('db-1')['inbound:8080-plain']).toEqual([])
})

test('opaque ports of a workload have no HTTP, and those that it does not declare are told, too', () => {
  const opaquePorts = parsePortRanges('8080,9000-9010')
  const { listener } = setUp(workload('web', { containerPorts: [8080, 8081], opaquePorts }))
  const { filterChains = [], metadata } = listener('inbound/shop/web')
  expect(filterChains.map((chain) => [chain.name, tcpProxyOf(chain)?.cluster])).toEqual([
    ['inbound:8080-mesh', 'inbound:8080'],
    ['inbound:8080-plain', 'inbound:8080'],
    ['inbound:8081-mesh', undefined],
    ['inbound:8081-plain', undefined],
  ])
  expect(JSON.stringify(metadata)).toContain('8080,9000-9010')
})

test('a workload is told the zone of its node, and told anew when that one changes', () => {
  const node = (zone: string): Change => ({ kind: 'node', key: 'n', value: { name: 'n', zone } })
  const { change, listener } = setUp(workload('web', { node: 'n' }), workload('lost'))
  const zoneOf = (pod: string) =>
    fromStruct(listener(`inbound/shop/${pod}`).metadata?.filterMetadata?.[weftMetadata])['zone']
  expect([zoneOf('web'), zoneOf('lost')]).toEqual([undefined, undefined])
  expect([...change(node('a'))]).toEqual(['workload:shop/web'])
  expect([zoneOf('web'), zoneOf('lost')]).toEqual(['a', undefined])
  change(node('b'))
  expect(zoneOf('web')).toBe('b')
  change({ kind: 'node', key: 'n', value: undefined })
  expect(zoneOf('web')).toBeUndefined()
})
