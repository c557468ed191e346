import { describe, expect, test } from 'vitest'
import { MeshModel } from './mesh-model.ts'
import type { Change, TrafficPolicy } from './objects.ts'
import { policy, removed, service, slice, split } from './test-objects.ts'
import { policyFindings, trafficOf } from './traffic.ts'
import { noTrafficSettings } from './traffic-settings.ts'

const connectionPool = { maxConnections: 1, maxPending: 1, maxRequests: 1, maxRetries: 1, queueTimeoutMs: 1 }
const pool = (maxRequests: number) => ({ connectionPool: { ...connectionPool, maxRequests } })

function mesh(...changes: readonly Change[]): MeshModel {
  const model = new MeshModel()
  model.apply([service('catalog'), ...changes])
  return model
}

function maxRequests(model: MeshModel, port = { name: 'http', port: 8080, protocol: '' }) {
  const found = model.service('shop/catalog')
  return found === undefined ? undefined : trafficOf(model, found, port).connectionPool?.maxRequests
}

const codes = (model: MeshModel, key = 'shop/catalog') =>
  policyFindings(model, key).map(({ code, object }) => `${code} ${object}`)

test('a policy is in force for the Service that it names, until it is gone', () => {
  const model = mesh(policy('p', 'catalog', pool(7)))
  expect(maxRequests(model)).toBe(7)
  model.apply([removed(policy('p', 'catalog', {}))])
  expect(maxRequests(model)).toBeUndefined()
})

test('the oldest of several wins, then the name, and the others are reported', () => {
  const model = mesh(
    policy('a', 'catalog', pool(1), { createdMs: 2_000 }),
    policy('b', 'catalog', pool(2), { createdMs: 1_000 }),
  )
  expect(maxRequests(model)).toBe(2)
  expect(codes(model)).toEqual(['POLICY_OVERRULED TrafficPolicy shop/a'])
  expect(maxRequests(mesh(policy('d', 'catalog', pool(4)), policy('c', 'catalog', pool(3))))).toBe(3)
})

test('a policy for one port beats an older one for the whole Service, on that port alone', () => {
  const value = service('catalog').value
  const ports = [
    { name: 'http', port: 8080, protocol: '' },
    { name: 'admin', port: 9090, protocol: '' },
  ] as const
  const model = mesh(
    { kind: 'service', key: 'shop/catalog', value: { ...value, ports } } as Change,
    policy('whole', 'catalog', pool(1), { createdMs: 1 }),
    policy('by-name', 'catalog', pool(2), { createdMs: 2, port: { name: 'http' } }),
    policy('by-number', 'catalog', pool(3), { createdMs: 3, port: { number: 8080 } }),
  )
  expect(maxRequests(model, ports[0])).toBe(2)
  expect(maxRequests(model, ports[1])).toBe(1)
  expect(codes(model)).toEqual(['POLICY_OVERRULED TrafficPolicy shop/by-number'])
})

test('a policy whose Service or port does not exist is reported', () => {
  const model = mesh(
    policy('a', 'ghost', pool(1)),
    policy('b', 'catalog', pool(1), { port: { name: 'grpc' } }),
  )
  expect(codes(model, 'shop/ghost')).toEqual(['POLICY_TARGET_UNKNOWN TrafficPolicy shop/a'])
  expect(codes(model)).toEqual(['POLICY_TARGET_UNKNOWN TrafficPolicy shop/b'])
})

test('a policy beats annotations section by section', () => {
  const timeouts = { requestMs: 1, responseMs: undefined, perTryMs: undefined, idleMs: undefined }
  const traffic = { ...noTrafficSettings, ...pool(1), timeouts }
  const value = { ...service('catalog').value, traffic }
  const model = mesh(
    { kind: 'service', key: 'shop/catalog', value } as Change,
    policy('p', 'catalog', pool(9)),
  )
  const found = model.service('shop/catalog')
  if (found === undefined) throw new Error('no service')
  const settings = trafficOf(model, found, { name: 'http', port: 8080, protocol: '' })
  expect(settings.connectionPool?.maxRequests).toBe(9)
  expect(settings.timeouts).toEqual(timeouts)
})

describe('a changed policy touches', () => {
  const others = [service('other'), slice('other', [{ address: '10.0.0.9', workload: 'shop/other-0' }])]
  const model = mesh(
    service('catalog-v1'),
    split('s', { 'catalog-v1': 1 }),
    slice('catalog-v1', [{ address: '10.0.0.1', workload: 'shop/v1-0' }]),
    ...others,
  )
  test('the Services that it names and named, and those that send to them', () => {
    const dirty = model.apply([policy('p', 'catalog-v1', pool(1))])
    expect([...dirty.services].toSorted()).toEqual(['shop/catalog', 'shop/catalog-v1'])
    expect(dirty.routing).toBe(true)
    const moved = model.apply([policy('p', 'other', pool(1))])
    expect([...moved.services].toSorted()).toEqual(['shop/catalog', 'shop/catalog-v1', 'shop/other'])
  })
  test('the workloads behind them', () => {
    expect([...model.apply([policy('q', 'catalog-v1', pool(1))]).workloads]).toEqual(['shop/v1-0'])
  })
})

test('a workload knows the Services that lead to it, by its own ports', () => {
  const model = mesh(slice('catalog', [{ address: '10.0.0.1', workload: 'shop/v1-0' }]))
  expect(model.servedBy('shop/v1-0').map((served) => [served.port.port, served.targetPort])).toEqual([
    [8080, 9090],
  ])
})

test('a policy of several Services is one object: its keys do not collide', () => {
  const change = policy('p', 'catalog', pool(1))
  const value = {
    ...(change.value as TrafficPolicy),
    targets: [
      { service: 'catalog', port: undefined },
      { service: 'catalog', port: { name: 'http' } },
    ],
  }
  const model = mesh({ kind: 'policy', key: change.key, value })
  expect(maxRequests(model)).toBe(1)
  expect(codes(model)).toEqual([])
})
