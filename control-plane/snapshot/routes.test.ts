import { describe, expect, test } from 'vitest'
import { decode } from '../../api/xds/codec.ts'
import { resourceNames } from '../../api/xds/type-urls.ts'
import type { Route } from '../../api/xds/types.ts'
import { MeshModel } from '../model/mesh-model.ts'
import type { Change } from '../model/objects.ts'
import type { RouteBackend, RouteFilter, RouteRule } from '../model/route.ts'
import { backendRef, routeOf, routeRule, service } from '../model/test-objects.ts'
import { defaultRetries, noTrafficSettings } from '../model/traffic-settings.ts'
import type { ClientKind } from './client-kind.ts'
import { Snapshot } from './snapshot.ts'

const name = 'catalog.shop.svc.cluster.local:8080'

function snapshotOf(...changes: readonly Change[]): Snapshot {
  const model = new MeshModel()
  model.apply([service('catalog'), service('catalog-v1'), service('catalog-v2'), ...changes])
  return new Snapshot(model, { trustDomain: 'cluster.local', trustBundlePem: () => '' })
}

function routes(snapshot: Snapshot, kind: ClientKind = 'sidecar', namespace = ''): readonly Route[] {
  const bytes = snapshot.get('routeConfiguration', name, kind, namespace)?.bytes
  if (bytes === undefined) throw new Error('no routes')
  return decode(resourceNames.routeConfiguration, bytes).virtualHosts?.[0]?.routes ?? []
}

function routesOf(rule: Partial<RouteRule>, kind: ClientKind = 'sidecar'): readonly Route[] {
  return routes(snapshotOf(routeOf('r', 'catalog', [routeRule(rule)])), kind)
}

const v1 = backendRef('catalog-v1')
const clusterOf = ({ service: of }: RouteBackend) => `${of}.shop.svc.cluster.local:8080`

describe('a share that has nobody to go to fails with 500', () => {
  const rule = { backends: [backendRef('catalog-v1', { weight: 0 })] }
  test('by the cluster that is none, for those who know it', () => {
    for (const kind of ['sidecar', 'grpc'] as const)
      expect(routesOf(rule, kind)[0]?.route?.cluster).toBe('weft:invalid-backend')
  })
  test('by an answer, for Envoy', () => {
    expect(routesOf(rule, 'envoy')[0]?.directResponse?.status).toBe(500)
  })
  test('beside shares that have somebody', () => {
    const backends = [v1, backendRef('ghost')]
    const clusters = routesOf({ backends })[0]?.route?.weightedClusters?.clusters
    expect(clusters?.map((cluster) => cluster.name)).toEqual([clusterOf(v1), 'weft:invalid-backend'])
    const [first, second] = routesOf({ backends }, 'envoy')
    expect(first?.match?.runtimeFraction?.defaultValue).toMatchObject({ numerator: 50 })
    expect(second?.directResponse?.status).toBe(500)
  })
})

describe('a GRPCRoute', () => {
  const path = { kind: 'prefix', value: '/shop.Orders' } as const
  const matches = [{ path, headers: [], query: [], method: undefined }]
  const of = (rule: Partial<RouteRule>, kind: ClientKind) =>
    routes(
      snapshotOf(routeOf('r', 'catalog', [routeRule({ matches, ...rule })], { kind: 'GRPCRoute' })),
      kind,
    )
  test('matches a whole service, in the words that each client knows', () => {
    const rule = { backends: [v1] }
    for (const kind of ['sidecar', 'envoy'] as const)
      expect(of(rule, kind)[0]?.match).toMatchObject({ pathSeparatedPrefix: '/shop.Orders' })
    expect(of(rule, 'grpc')[0]?.match).toMatchObject({ prefix: '/shop.Orders/' })
  })
  test('has calls that cannot be sent answered with UNAVAILABLE by Envoy too', () => {
    expect(of({ backends: [backendRef('ghost')] }, 'envoy')[0]?.directResponse?.status).toBe(503)
  })
  test('has Envoy obey the timeouts of its calls, up to that of the route', () => {
    expect(of({ backends: [v1] }, 'envoy')[0]?.route?.maxStreamDuration).toMatchObject({
      grpcTimeoutHeaderMax: {},
    })
    expect(of({ backends: [v1] }, 'sidecar')[0]?.route?.maxStreamDuration ?? undefined).toBeUndefined()
  })
  test('is retried on the conditions of its annotations', () => {
    const retries = { ...defaultRetries, conditions: ['unavailable'] as const }
    const change = routeOf('r', 'catalog', [routeRule({ backends: [v1] })], {
      kind: 'GRPCRoute',
      traffic: { ...noTrafficSettings, retries },
    })
    for (const kind of ['sidecar', 'grpc'] as const)
      expect(routes(snapshotOf(change), kind)[0]?.route?.retryPolicy?.retryOn).toBe('unavailable')
  })
})

describe('backends whose filters are more than a cluster can have', () => {
  const path = { kind: 'full', value: '/x' } as const
  const rewritten: RouteFilter[] = [{ kind: 'rewrite', host: undefined, path }]
  const backends = [
    backendRef('catalog-v1', { weight: 1, filters: rewritten }),
    backendRef('catalog-v2', { weight: 3 }),
    backendRef('catalog', { weight: 4 }),
  ]
  test('become a route each, whose shares add up', () => {
    const made = routesOf({ backends })
    expect(made.map((route) => route.match?.runtimeFraction?.defaultValue)).toEqual([
      { numerator: 125_000, denominator: 'MILLION' },
      { numerator: 50 },
      undefined,
    ])
    expect(made.map((route) => route.route?.weightedClusters?.clusters?.[0]?.name)).toEqual(
      backends.map(clusterOf),
    )
    expect(made.map((route) => route.route?.regexRewrite?.substitution)).toEqual(['/x', undefined, undefined])
  })
  test('keep the filters of the rule, and their own after those', () => {
    const set = (value: string): RouteFilter => ({
      kind: 'requestHeaders',
      modifier: { set: [{ name: 'x', value }], add: [], remove: [] },
    })
    const own = backendRef('catalog-v1', { filters: [...rewritten, set('inner')] })
    const [route] = routesOf({ filters: [set('outer')], backends: [own] })
    expect(route?.requestHeadersToAdd?.[0]?.header?.value).toBe('outer')
    const [cluster] = route?.route?.weightedClusters?.clusters ?? []
    expect(cluster?.requestHeadersToAdd?.[0]?.header?.value).toBe('inner')
  })
})

describe('a prefix is replaced', () => {
  const rewriteTo = (value: string, matched: string, kind: ClientKind) => {
    const filters: RouteFilter[] = [{ kind: 'rewrite', host: undefined, path: { kind: 'prefix', value } }]
    const matches = [
      { path: { kind: 'prefix', value: matched } as const, headers: [], query: [], method: undefined },
    ]
    const action = routesOf({ filters, matches, backends: [v1] }, kind)[0]?.route
    const regex = action?.regexRewrite
    return action?.prefixRewrite ?? `${regex?.pattern?.regex} -> ${regex?.substitution}`
  }
  test('by elements in a sidecar, whatever it is', () => {
    expect(['/x', '/x/', '/', ''].map((to) => rewriteTo(to, '/a', 'sidecar'))).toEqual([
      '/x',
      '/x/',
      '/',
      '/',
    ])
  })
  test('by bytes in Envoy, and by a regex where a slash would be doubled or lost', () => {
    expect(rewriteTo('/x', '/a/', 'envoy')).toBe('/x')
    expect(rewriteTo('', '/a.b', 'envoy')).toBe('^/a\\.b/* -> /')
    expect(rewriteTo('/x', '/', 'envoy')).toBe('^/* -> /x/')
  })
})

test('a percent sign is no command', () => {
  const filters: RouteFilter[] = [
    { kind: 'responseHeaders', modifier: { set: [], add: [{ name: 'x', value: '5%' }], remove: [] } },
  ]
  expect(routesOf({ filters, backends: [v1] })[0]?.responseHeadersToAdd?.[0]?.header?.value).toBe('5%%')
})

test('a gRPC client, which would refuse everything for one redirect, gets none', () => {
  const redirect = {
    scheme: 'https',
    host: undefined,
    port: undefined,
    path: undefined,
    status: 302,
  } as const
  const filters: RouteFilter[] = [{ kind: 'redirect', redirect }]
  expect(routesOf({ filters })[0]?.redirect?.schemeRedirect).toBe('https')
  expect(routesOf({ filters }, 'grpc')[0]?.redirect).toBeUndefined()
})

test.each([
  ['prefix', '/a/b', '/a/b'],
  ['exact', '/a', '/a'],
  ['regex', '/a/b/[0-9]+/c', '/a/b'],
  ['regex', '/[ab]', '/'],
  ['regex', '/ab+', '/'],
] as const)('the cookie of a session matched by %s %s is for %s', (kind, value, cookiePath) => {
  const session = {
    kind: 'cookie',
    name: 'stick',
    absoluteTimeoutMs: undefined,
    idleTimeoutMs: undefined,
    permanent: false,
  } as const
  const matches = [{ path: { kind, value }, headers: [], query: [], method: undefined }]
  const [route] = routesOf({ session, matches, backends: [v1] })
  const text = JSON.stringify(
    Buffer.from(route?.typedPerFilterConfig?.['envoy.filters.http.stateful_session']?.value ?? []).toString(
      'latin1',
    ),
  )
  expect(text).toContain('stick')
  expect(text).toContain(cookiePath)
})

describe('what clients of a namespace are sent', () => {
  const consumer = routeOf('r', 'catalog', [routeRule({ backends: [backendRef('catalog-v2')] })], {
    namespace: 'web',
  })
  const producer = routeOf('p', 'catalog', [routeRule({ backends: [v1] })])
  const sent = (snapshot: Snapshot, namespace: string) =>
    routes(snapshot, 'sidecar', namespace)[0]?.route?.weightedClusters?.clusters?.[0]?.name
  test('is their own routes, where they have some; the others share one resource', () => {
    const snapshot = snapshotOf(consumer, producer)
    expect(sent(snapshot, 'web')).toBe('catalog-v2.shop.svc.cluster.local:8080')
    expect(sent(snapshot, 'shop')).toBe(clusterOf(v1))
    const get = (namespace: string) => snapshot.get('routeConfiguration', name, 'sidecar', namespace)
    expect(get('other')).toBe(get('shop'))
    expect(get('web')).not.toBe(get('shop'))
  })
})
