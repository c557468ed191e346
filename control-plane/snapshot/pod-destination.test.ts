import { expect, test } from 'vitest'
import { decode, unpackAs } from '../../api/xds/codec.ts'
import { transportSocketMatch } from '../../api/xds/naming.ts'
import { fromStruct } from '../../api/xds/struct.ts'
import { resourceNames } from '../../api/xds/type-urls.ts'
import { parsePortRanges } from '../../core/port-ranges.ts'
import { MeshModel } from '../model/mesh-model.ts'
import type { Change, Workload } from '../model/objects.ts'
import { namespaceShop, service, slice, workload } from '../model/test-objects.ts'
import type { ClientKind } from './client-kind.ts'
import { managerName } from './listeners.ts'
import { Snapshot } from './snapshot.ts'

const address = '10.0.0.7'

function pod(facts: Partial<Workload> = {}): Change {
  return workload('db-0', { addresses: [address, 'fd00::7'], inject: true, ...facts })
}

function setUp(...changes: readonly Change[]) {
  const model = new MeshModel()
  const snapshot = new Snapshot(model, { trustDomain: 'cluster.local', trustBundlePem: () => '' })
  const change = (...more: readonly Change[]) => snapshot.invalidate(model.apply(more))
  change(...changes)
  const listener = (name: string, client: ClientKind = 'sidecar') => {
    const found = snapshot.get('listener', name, client, 'shop')
    return found && decode(resourceNames.listener, found.bytes)
  }
  const endpoint = (name: string) => {
    const found = snapshot.get('cluster', name, 'sidecar', 'shop')
    const cluster = found && decode(resourceNames.cluster, found.bytes)
    const [only, ...others] = cluster?.loadAssignment?.endpoints?.[0]?.lbEndpoints ?? []
    expect(others).toEqual([])
    const metadata = only?.metadata?.filterMetadata
    return {
      socket: only?.endpoint?.address?.socketAddress,
      mode: fromStruct(metadata?.[transportSocketMatch])['tlsMode'],
      identity: fromStruct(metadata?.['weft.dev'])['identity'],
    }
  }
  return { model, change, listener, endpoint }
}

test.each([`${address}:9000`, '[fd00::7]:9000'])('%s is the pod, as who it is', (name) => {
  const { listener, endpoint } = setUp(pod())
  const manager = unpackAs(managerName, listener(name)?.apiListener?.apiListener)
  expect(manager?.routeConfig?.virtualHosts?.[0]?.routes?.[0]?.route?.cluster).toBe(name)
  expect(listener(name)?.defaultFilterChain).toBeDefined()
  expect(endpoint(name)).toEqual({
    socket: { address: name.startsWith('[') ? 'fd00::7' : address, portValue: 9000 },
    mode: 'weft',
    identity: 'spiffe://cluster.local/ns/shop/sa/db-0',
  })
})

test('a pod without a sidecar, and a port that is reached past the sidecar, are spoken to in clear', () => {
  const { change, endpoint } = setUp(pod({ inject: false }))
  expect(endpoint(`${address}:9000`).mode).toBeUndefined()
  change(pod({ bypassedPorts: { skipped: [{ from: 9000, to: 9000 }] } }))
  expect(endpoint(`${address}:9000`).mode).toBeUndefined()
  expect(endpoint(`${address}:9001`).mode).toBe('weft')
})

test('a port that is reached past the sidecar is so through a Service too', () => {
  const { model, change } = setUp(service('db'), slice('db', [{ address, workload: 'shop/db-0' }]), pod())
  expect(model.endpoints('shop/db', 'http')).toMatchObject([{ address, port: 9090, meshed: true }])
  const dirty = change(pod({ bypassedPorts: { skipped: [{ from: 9090, to: 9090 }] } }))
  expect(model.endpoints('shop/db', 'http')).toMatchObject([{ address, port: 9090, meshed: false }])
  expect(dirty).toContain('service:shop/db')
})

test("ports that a pod leaves to its namespace are as that says, the sidecar's own pages among them", () => {
  const { change, endpoint } = setUp(pod())
  change(
    namespaceShop({
      bypassedPorts: { skipped: [{ from: 9000, to: 9000 }], admin: [{ from: 4200, to: 4200 }] },
    }),
  )
  const modes = (): readonly unknown[] =>
    [9000, 4200, 4191].map((port) => endpoint(`${address}:${port}`).mode)
  expect(modes()).toEqual([undefined, undefined, 'weft'])
  change(pod({ bypassedPorts: { skipped: [], admin: [{ from: 4191, to: 4191 }] } }))
  expect(modes()).toEqual(['weft', 'weft', undefined])
})

test('of a pod that names where its sidecar listens, no other port is taken for one of the mesh', () => {
  const inbound = [{ host: address, port: 9000, applicationPort: 8080 }]
  const { endpoint } = setUp(pod({ inject: undefined, inbound }))
  expect(endpoint(`${address}:9000`).mode).toBe('weft')
  expect(endpoint(`${address}:8080`).mode).toBeUndefined()
})

test('what a Service lists of such a pod leads to its sidecar, whatever stands between', () => {
  const inbound = [{ host: address, port: 9000, applicationPort: 8080 }]
  const listed = slice('db', [{ address, workload: 'shop/db-0' }])
  const { model } = setUp(service('db'), listed, pod({ inject: undefined, inbound }))
  expect(model.endpoints('shop/db', 'http')).toMatchObject([{ port: 9090, meshed: true }])
})

test('its opaque ports are not looked into', () => {
  const { listener } = setUp(pod({ opaquePorts: parsePortRanges('2181') }))
  expect(listener(`${address}:2181`)?.listenerFilters ?? []).toEqual([])
  expect(listener(`${address}:8080`)?.listenerFilters).toHaveLength(1)
})

test('an address that a Service has is the Service', () => {
  const { listener, change } = setUp(pod())
  expect(listener(`${address}:9000`)).toBeDefined()
  change(service('catalog', 8080, [address]))
  expect(listener(`${address}:9000`)).toBeUndefined()
})

test('those who know a pod by its address hear of its coming, changing and going', () => {
  const { change, listener } = setUp()
  expect(listener(`${address}:9000`)).toBeUndefined()
  expect(change(pod())).toContain(`address:${address}`)
  expect(listener(`${address}:9000`)).toBeDefined()
  expect(change(pod({ addresses: ['10.0.0.8'] }))).toContain(`address:${address}`)
  expect(listener(`${address}:9000`)).toBeUndefined()
  expect(listener('10.0.0.8:9000')).toBeDefined()
  expect(change({ kind: 'workload', key: 'shop/db-0', value: undefined })).toContain('address:10.0.0.8')
  expect(listener('10.0.0.8:9000')).toBeUndefined()
})

test('others than sidecars reach an address by themselves', () => {
  const { listener } = setUp(pod())
  for (const client of ['grpc', 'envoy'] as const) expect(listener(`${address}:9000`, client)).toBeUndefined()
})
