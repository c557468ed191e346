import { describe, expect, test } from 'vitest'
import { encode, pack } from '../../api/xds/codec.ts'
import { rootCaSecret } from '../../api/xds/naming.ts'
import type { ResourceKind } from '../../api/xds/type-urls.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import type { ConfigSink } from '../config-sink.ts'
import { MeshConfig } from './mesh-config.ts'

const name = 'catalog.shop:8080'
const routes = 'catalog.shop.svc.cluster.local:8080'
const ads = { ads: {} }

const listener = (): Buffer => {
  const manager = { rds: { routeConfigName: routes, configSource: ads } }
  const apiListener = pack(
    'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    manager,
  )
  return encode('envoy.config.listener.v3.Listener', { name, apiListener: { apiListener } })
}
const routeTo = (...clusters: readonly string[]): Buffer =>
  encode('envoy.config.route.v3.RouteConfiguration', {
    name: routes,
    virtualHosts: [
      {
        domains: ['*'],
        routes: [
          {
            match: { prefix: '/' },
            route: {
              weightedClusters: {
                clusters: clusters.map((cluster) => ({ name: cluster, weight: { value: 1 } })),
              },
            },
          },
        ],
      },
    ],
  })
const cluster = (cluster: string): Buffer =>
  encode('envoy.config.cluster.v3.Cluster', { name: cluster, type: 'EDS', lbPolicy: 'LEAST_REQUEST' })
const endpoints = (cluster: string): Buffer =>
  encode('envoy.config.endpoint.v3.ClusterLoadAssignment', { clusterName: cluster })

function setUp(connected = true) {
  const calls: string[] = []
  const record =
    (what: string) =>
    (first: unknown): void =>
      void calls.push(`${what} ${typeof first === 'string' ? first : (first as { name?: string }).name}`)
  const sink: ConfigSink = {
    setCluster: record('cluster'),
    setEndpoints: record('endpoints'),
    removeCluster: record('remove cluster'),
    setRoutes: record('routes'),
    setUnknown: record('unknown'),
    removeRoutes: record('remove routes'),
    setInbound: record('inbound'),
  }
  const wanted = new Set<string>()
  const clock = new ManualClock()
  const config = new MeshConfig({
    sink,
    clock,
    subscriptions: {
      subscribe: (kind, resource) => void wanted.add(`${kind} ${resource}`),
      unsubscribe: (kind, resource) => void wanted.delete(`${kind} ${resource}`),
    },
    connected: () => connected,
    inboundListener: 'inbound/shop/web',
    onTrustBundle: () => undefined,
    onChange: () => undefined,
  })
  let version = 0
  const receive = (kind: ResourceKind, resource: string, bytes: Buffer) =>
    config.receive(kind, [{ name: resource, version: String(++version), bytes }], [])
  return { config, calls, wanted, clock, receive }
}

function makeKnown(mesh: ReturnType<typeof setUp>): void {
  mesh.receive('listener', name, listener())
  mesh.receive('routeConfiguration', routes, routeTo('a'))
  mesh.receive('cluster', 'a', cluster('a'))
  mesh.receive('clusterLoadAssignment', 'a', endpoints('a'))
}

describe('a destination', () => {
  test('is asked for on first use, and known once routes, clusters and endpoints are there', async () => {
    const mesh = setUp()
    const resolved = mesh.config.resolve(name)
    expect([...mesh.wanted]).toEqual([
      `secret ${rootCaSecret}`,
      'listener inbound/shop/web',
      `listener ${name}`,
    ])
    makeKnown(mesh)
    expect(await resolved).toBe('known')
    expect(mesh.calls).toEqual(['cluster a', 'endpoints a', `routes ${name}`])
  })

  test('keeps its old routes until the clusters of the new ones are there: make before break', () => {
    const mesh = setUp()
    void mesh.config.resolve(name)
    makeKnown(mesh)
    mesh.calls.length = 0
    mesh.receive('routeConfiguration', routes, routeTo('b'))
    expect(mesh.calls).toEqual([])
    mesh.receive('cluster', 'b', cluster('b'))
    expect(mesh.calls).toEqual(['cluster b'])
    mesh.receive('clusterLoadAssignment', 'b', endpoints('b'))
    expect(mesh.calls).toEqual(['cluster b', 'endpoints b', `routes ${name}`, 'remove cluster a'])
    expect(mesh.wanted.has('cluster a')).toBe(false)
  })

  test('goes ahead after 5 s without a cluster that never comes', () => {
    const mesh = setUp()
    void mesh.config.resolve(name)
    mesh.receive('listener', name, listener())
    mesh.receive('routeConfiguration', routes, routeTo('ghost'))
    mesh.clock.advance(4999)
    expect(mesh.calls).toEqual([])
    mesh.clock.advance(1)
    expect(mesh.calls).toEqual([`routes ${name}`])
  })

  test('that the mesh does not know is unknown, and becomes known when it is created', async () => {
    const mesh = setUp()
    const resolved = mesh.config.resolve(name)
    mesh.config.receive('listener', [], [name])
    expect(await resolved).toBe('unknown')
    makeKnown(mesh)
    expect(await mesh.config.resolve(name)).toBe('known')
  })

  test('is given up after 1 s while the control plane is away', async () => {
    const mesh = setUp(false)
    const resolved = mesh.config.resolve(name)
    mesh.clock.advance(1000)
    expect(await resolved).toBe('unavailable')
  })

  test('is dropped after 10 idle minutes, but never while the control plane is away', () => {
    const here = setUp()
    const away = setUp(false)
    for (const mesh of [here, away]) {
      void mesh.config.resolve(name)
      makeKnown(mesh)
      mesh.clock.advance(700_000)
    }
    expect(here.calls).toContain(`remove routes ${name}`)
    expect(away.calls).not.toContain(`remove routes ${name}`)
  })
})

test('a bad resource is refused with its path, its last good version stays, and the good one beside it counts', () => {
  const mesh = setUp()
  void mesh.config.resolve(name)
  makeKnown(mesh)
  mesh.calls.length = 0
  const bad = encode('envoy.config.cluster.v3.Cluster', { name: 'a', type: 'STRICT_DNS' })
  const problems = mesh.config.receive(
    'cluster',
    [
      { name: 'a', version: 'x', bytes: bad },
      { name: 'b', version: 'y', bytes: cluster('b') },
    ],
    [],
  )
  expect(problems).toEqual(['a: type: STRICT_DNS is not supported'])
  expect(mesh.calls[0]).toBe('cluster b')
  expect(
    mesh.config.snapshot().find((entry) => entry.name === 'a' && entry.kind === 'cluster')?.version,
  ).not.toBe('x')
})

test('an unchanged resource is not applied again', () => {
  const mesh = setUp()
  void mesh.config.resolve(name)
  makeKnown(mesh)
  const before = mesh.calls.length
  for (const { kind, ...resource } of mesh.config.snapshot()) mesh.config.receive(kind, [resource], [])
  expect(mesh.calls).toHaveLength(before)
})

test('what was kept comes back complete, without a control plane', async () => {
  const first = setUp()
  void first.config.resolve(name)
  makeKnown(first)
  const second = setUp(false)
  second.config.restore(first.config.snapshot())
  expect(await second.config.resolve(name)).toBe('known')
})
