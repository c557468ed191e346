import { describe, expect, test } from 'vitest'
import { MeshModel } from './mesh-model.ts'
import type { Change } from './objects.ts'
import { splitReport } from './split-report.ts'
import { splitEvents, splitStatus } from './split-status.ts'
import { route, routeGroup, service, slice, split } from './test-objects.ts'
import { noTrafficSettings } from './traffic-settings.ts'

const even = split('s', { 'catalog-v1': 1000, 'catalog-v2': 1000 }, 5)

function modelOf(...changes: readonly Change[]): MeshModel {
  const model = new MeshModel()
  model.apply([service('catalog'), service('catalog-v1'), service('catalog-v2'), ...changes])
  return model
}

function splitOf(model: MeshModel, name = 's') {
  const found = [...model.allSplits()].find((candidate) => candidate.name === name)
  if (found === undefined) throw new Error(`no split ${name}`)
  return found
}

/** `type status reason` of each condition, and what the false ones say. */
function conditions(...changes: readonly Change[]): readonly string[] {
  const model = modelOf(...changes)
  return splitStatus(model, splitOf(model)).conditions.map(({ status, reason, message }) =>
    status === 'True' ? `${reason}${message === '' ? '' : `: ${message}`}` : `not ${reason}: ${message}`,
  )
}

const fine = ['Accepted', 'ResolvedRefs', 'Programmed']

describe('the conditions of a split', () => {
  test('hold when everything is as it says', () => {
    expect(conditions(even)).toEqual(fine)
  })
  test('name a backend that is no Service, and one that lacks a port of the apex', () => {
    const odd = split('s', { 'catalog-v1': 1, ghost: 1, other: 1 })
    expect(conditions(service('other', 9), odd)).toEqual([
      'Accepted',
      "not BackendUnknown: backend 'ghost' is no Service; it gets nothing; backend 'other' has no port 8080; it gets nothing there",
      'Programmed',
    ])
  })
  test('say that all weights are zero, or that nobody is left', () => {
    expect(conditions(split('s', { 'catalog-v1': 0 }))[2]).toBe(
      "not AllWeightsZero: all weights are zero; 'catalog' serves its requests itself",
    )
    expect(conditions(split('s', { ghost: 1, 'catalog-v1': 0 }))[2]).toMatch(/^not NoBackendLeft: /)
  })
  test('name the older split that counts instead', () => {
    expect(conditions(even, split('older', { 'catalog-v1': 1 }, 4))).toEqual([
      "not Overruled: 'older' has the same apex 'catalog' and is older",
      'ResolvedRefs',
      "not Overruled: 'older' has the same apex 'catalog' and is older",
    ])
  })
  test('say that a route on the apex counts instead', () => {
    expect(conditions(even, route('r', 'catalog', ['catalog-v1']))[0]).toBe(
      "not RouteTakesPrecedence: a route on 'catalog' counts instead",
    )
  })
  test('say so as well when the route is for one port of several', () => {
    const ports = [8080, 9090].map((port) => ({ name: `p${port}`, port, protocol: '' }))
    const twoPorts = ['catalog', 'catalog-v1', 'catalog-v2'].map(
      (name): Change => ({
        kind: 'service',
        key: `shop/${name}`,
        value: {
          namespace: 'shop',
          name,
          clusterIps: [],
          ports,
          opaquePorts: undefined,
          traffic: noTrafficSettings,
        },
      }),
    )
    const onOne = route('r', 'catalog', ['catalog-v1'])
    if (onOne.kind !== 'route' || onOne.value === undefined) throw new Error('no route')
    const parents = onOne.value.parents.map((parent) => ({ ...parent, port: 9090 }))
    const changes = [...twoPorts, even, { ...onOne, value: { ...onOne.value, parents } }]
    expect(conditions(...changes)).toEqual([
      "Accepted: a route on 'catalog' counts instead on port 9090",
      'ResolvedRefs',
      'Programmed',
    ])
    const model = modelOf(...changes)
    expect(splitReport(model, splitOf(model)).ports.map((port) => port.servedBy)).toEqual(['split', 'route'])
  })
  test('name a group that does not exist', () => {
    const abTest = split('s', { 'catalog-v1': 1 }, 0, { matches: ['beta'] })
    expect(conditions(abTest)[1]).toBe(
      "not RouteGroupUnknown: there is no HTTPRouteGroup 'beta'; it matches nothing",
    )
    expect(conditions(abTest, routeGroup('beta', {}))).toEqual(fine)
  })
  test('name an apex that is no Service', () => {
    expect(conditions(split('s', { 'catalog-v1': 1 }, 0, { apex: 'nobody' }))[0]).toBe(
      "not ApexUnknown: its apex 'nobody' is no Service",
    )
  })
})

describe('the events of a split', () => {
  const model = modelOf(even)
  const status = splitStatus(model, splitOf(model))
  const events = (...changes: readonly Change[]) => {
    const changed = modelOf(even, ...changes)
    return splitEvents(status, splitStatus(changed, splitOf(changed))).map(
      ({ type, reason, message }) => `${type} ${reason} ${message}`,
    )
  }

  test('tell that it is there, and what it says', () => {
    expect(splitEvents(undefined, status)).toEqual([
      { type: 'Normal', reason: 'Created', message: "splits 'catalog': catalog-v1 1, catalog-v2 1" },
    ])
  })
  test('are none when nothing changed', () => {
    expect(events()).toEqual([])
  })
  test('tell new weights', () => {
    expect(events(split('s', { 'catalog-v1': 1500, 'catalog-v2': 500 }, 5))).toEqual([
      "Normal WeightsChanged splits 'catalog': catalog-v1 1.5, catalog-v2 0.5",
    ])
  })
  test('warn once of a condition that holds no more, and tell when it holds again', () => {
    const older = split('older', { 'catalog-v1': 1 }, 4)
    expect(events(older)).toEqual(["Warning Overruled 'older' has the same apex 'catalog' and is older"])
    const overruled = modelOf(even, older)
    const was = splitStatus(overruled, splitOf(overruled))
    expect(splitEvents(was, status).map(({ reason }) => reason)).toEqual(['Resolved', 'Resolved'])
    expect(splitEvents(was, was)).toEqual([])
  })
})

describe('the report of a split', () => {
  const backends = (...changes: readonly Change[]) => {
    const model = modelOf(...changes)
    const [port] = splitReport(model, splitOf(model)).ports
    return port?.backends.map((backend) => [backend.sharePercent, backend.leftOut])
  }
  const v1 = slice('catalog-v1', [{ address: '10.0.0.1' }])
  const v2 = slice('catalog-v2', [{ address: '10.0.0.2' }])

  test('gives the share of each backend', () => {
    expect(backends(v1, v2, split('s', { 'catalog-v1': 500, 'catalog-v2': 1500 }))).toEqual([
      [25, undefined],
      [75, undefined],
    ])
  })
  test('gives the share of what is left out to the others, and says why', () => {
    const odd = split('s', { 'catalog-v1': 1, 'catalog-v2': 1, ghost: 1, other: 1, catalog: 0 })
    expect(backends(service('other', 9), v1, odd)).toEqual([
      [100, undefined],
      [0, 'NoReadyEndpoint'],
      [0, 'BackendUnknown'],
      [0, 'BackendWithoutPort'],
      [0, 'ZeroWeight'],
    ])
  })
  test('gives no share where the split does not count', () => {
    expect(backends(v1, v2, even, split('older', { 'catalog-v1': 1 }, 4))).toEqual([
      [0, 'NotInForce'],
      [0, 'NotInForce'],
    ])
  })
})
