import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MeshModel } from './mesh-model.ts'
import type { Change, RouteMatch } from './objects.ts'
import { routingOf } from './routing.ts'
import type { Rule } from './rule.ts'
import type { RouteFilter, RouteKind, RouteRule } from './route.ts'
import { backendRef, removed, route, routeOf, routeRule, service, split } from './test-objects.ts'
import { noTrafficSettings } from './traffic-settings.ts'

function modelOf(...changes: readonly Change[]): MeshModel {
  const model = new MeshModel()
  model.apply([service('catalog'), service('catalog-v1'), service('catalog-v2'), ...changes])
  return model
}

function rulesOf(model: MeshModel, clientNamespace = '', port = 8080): readonly Rule[] {
  const apex = model.service('shop/catalog')
  if (apex === undefined) throw new Error('no apex')
  return routingOf(model, apex, port, clientNamespace).rules
}

function weights(rules: readonly Rule[]) {
  return rules.map((rule) =>
    Object.fromEntries(rule.backends.map(({ backend, weight }) => [backend?.key ?? 'invalid', weight])),
  )
}

function match(facts: Partial<RouteMatch> = {}): RouteMatch {
  return { path: { kind: 'prefix', value: '/' }, headers: [], query: [], method: undefined, ...facts }
}

test('a route beats a split, and a backend that does not exist keeps its share', () => {
  const model = modelOf(split('s', { 'catalog-v2': 1 }), route('r', 'catalog', ['catalog-v1', 'ghost']))
  expect(weights(rulesOf(model))).toEqual([{ 'shop/catalog-v1': 1, invalid: 1 }])
})

test('a route that is removed leaves the service to itself', () => {
  const only = route('r', 'catalog', ['catalog-v1'])
  expect(weights(rulesOf(modelOf(only, removed(only))))).toEqual([{ 'shop/catalog': 1 }])
})

describe('a route counts', () => {
  const elsewhere = (namespace: string, backend: string) =>
    routeOf('r', 'catalog', [routeRule({ backends: [backendRef(backend)] })], { namespace })
  const model = modelOf(route('producer', 'catalog', ['catalog-v1']), elsewhere('web', 'catalog-v2'))
  test('for clients everywhere, when it is of the namespace of the service', () => {
    for (const client of ['', 'shop', 'other'])
      expect(weights(rulesOf(model, client))).toEqual([{ 'shop/catalog-v1': 1 }])
  })
  test('instead of those for the clients of its own namespace, when it is of another', () => {
    expect(weights(rulesOf(model, 'web'))).toEqual([{ 'shop/catalog-v2': 1 }])
  })
  test('for nobody else, even where there is no other', () => {
    const alone = modelOf(elsewhere('web', 'catalog-v2'))
    expect(weights(rulesOf(alone, 'other'))).toEqual([{ 'shop/catalog': 1 }])
  })
})

describe('a GRPCRoute', () => {
  const grpc = (backend: string, facts: object = {}) =>
    routeOf('r', 'catalog', [routeRule({ backends: [backendRef(backend)] })], { kind: 'GRPCRoute', ...facts })
  const http = route('r', 'catalog', ['catalog-v1'])
  test('beats an HTTPRoute of the same name, and leaves it its place when it goes', () => {
    const model = modelOf(http, grpc('catalog-v2'))
    expect(weights(rulesOf(model))).toEqual([{ 'shop/catalog-v2': 1 }])
    expect(rulesOf(model)[0]).toMatchObject({ name: 'grpcroute/shop/r/0', grpc: true })
    model.apply([removed(grpc('catalog-v2'))])
    expect(weights(rulesOf(model))).toEqual([{ 'shop/catalog-v1': 1 }])
  })
  test('of another namespace beats none for other clients', () => {
    const model = modelOf(http, grpc('catalog-v2', { namespace: 'web' }))
    expect(weights(rulesOf(model))).toEqual([{ 'shop/catalog-v1': 1 }])
    expect(weights(rulesOf(model, 'web'))).toEqual([{ 'shop/catalog-v2': 1 }])
  })
  test('has its methods tried from the most specific one on', () => {
    const paths: readonly RouteMatch['path'][] = [
      { kind: 'prefix', value: '/' },
      { kind: 'regex', value: '/[^/]+/(?:Get)', rank: 3 },
      { kind: 'regex', value: '/(?:shop.*)/[^/]+', rank: 6150 },
      { kind: 'prefix', value: '/shop.Orders' },
      { kind: 'exact', value: '/shop.Orders/Get' },
    ]
    const rules = paths.map((path) => routeRule({ matches: [match({ path })] }))
    const model = modelOf(routeOf('r', 'catalog', rules, { kind: 'GRPCRoute' }))
    expect(rulesOf(model).map((rule) => rule.match?.path)).toEqual(paths.toReversed())
  })
})

describe('a parent with a port or a section', () => {
  const onPort = (facts: object) => {
    const made = route('r', 'catalog', ['catalog-v1'])
    if (made.kind !== 'route' || made.value === undefined) throw new Error('no route')
    const parents = made.value.parents.map((parent) => ({ ...parent, ...facts }))
    return weights(rulesOf(modelOf({ ...made, value: { ...made.value, parents } })))
  }
  test.each([{ port: 8080 }, { sectionName: 'http' }, { port: 8080, sectionName: 'http' }])(
    'is for that port: %j',
    (facts) => {
      expect(onPort(facts)).toEqual([{ 'shop/catalog-v1': 1 }])
    },
  )
  test.each([{ port: 9090 }, { sectionName: 'grpc' }, { port: 8080, sectionName: 'grpc' }])(
    'is for no other: %j',
    (facts) => {
      expect(onPort(facts)).toEqual([{ 'shop/catalog': 1 }])
    },
  )
})

test('rules are named by their names, or else by their places', () => {
  const rules = [routeRule({ name: 'first' }), routeRule()]
  expect(rulesOf(modelOf(routeOf('r', 'catalog', rules))).map(({ name }) => name)).toEqual([
    'httproute/shop/r/first',
    'httproute/shop/r/1',
  ])
})

test('each match of a rule is a way into it', () => {
  const matches = ['/a', '/b'].map((value) => match({ path: { kind: 'exact', value } }))
  const rules = rulesOf(modelOf(routeOf('r', 'catalog', [routeRule({ matches, timeoutMs: 1 })])))
  expect(rules.map((rule) => [rule.match?.path.value, rule.timeoutMs])).toEqual([
    ['/a', 1],
    ['/b', 1],
  ])
})

describe('filters', () => {
  const filtersOf = (...filters: readonly RouteFilter[]) =>
    rulesOf(modelOf(routeOf('r', 'catalog', [routeRule({ filters })])))[0]?.filters
  const redirect = {
    scheme: undefined,
    host: undefined,
    port: undefined,
    path: undefined,
    status: 302,
  } as const
  test.each([
    [{}, 8080],
    [{ scheme: 'https' }, 443],
    [{ scheme: 'http' }, 80],
    [{ scheme: 'https', port: 8443 }, 8443],
  ] as const)('a redirect with %j goes to port %i', (facts, port) => {
    expect(filtersOf({ kind: 'redirect', redirect: { ...redirect, ...facts } })?.redirect?.port).toBe(port)
  })
  test('a mirror whose backend cannot be sent to is left out, the others stay', () => {
    const to = (name: string): RouteFilter => ({
      kind: 'mirror',
      to: backendRef(name),
      fraction: { numerator: 1, denominator: 2 },
    })
    expect(filtersOf(to('catalog-v1'), to('ghost'), to('catalog-v2'))?.mirrors).toEqual(
      ['shop/catalog-v1', 'shop/catalog-v2'].map((key) => ({
        backend: { key, port: 8080 },
        fraction: { numerator: 1, denominator: 2 },
      })),
    )
  })
  test('a rule with one that is not supported sends nothing anywhere', () => {
    const filters: RouteFilter[] = [{ kind: 'unsupported', type: 'CORS' }]
    const [rule] = rulesOf(
      modelOf(routeOf('r', 'catalog', [routeRule({ filters, backends: [backendRef('catalog-v1')] })])),
    )
    expect([rule?.backends, rule?.filters]).toEqual([[], undefined])
  })
  test('a backend with one that is not supported fails its own share', () => {
    const spoilt = backendRef('catalog-v1', { filters: [{ kind: 'unsupported', type: 'ExtensionRef' }] })
    const backends = [spoilt, backendRef('catalog-v2')]
    expect(weights(rulesOf(modelOf(routeOf('r', 'catalog', [routeRule({ backends })]))))).toEqual([
      { invalid: 1, 'shop/catalog-v2': 1 },
    ])
  })
})

describe('a session', () => {
  const session = {
    kind: 'cookie',
    name: undefined,
    absoluteTimeoutMs: undefined,
    idleTimeoutMs: undefined,
    permanent: false,
  } as const
  test('without a name gets one that no other rule has', () => {
    const rules = rulesOf(
      modelOf(
        routeOf('r', 'catalog', [routeRule({ session }), routeRule({ session })]),
        routeOf('q', 'catalog', [routeRule({ session })]),
      ),
    )
    expect(new Set(rules.map((rule) => rule.session?.name)).size).toBe(3)
  })
  test('is not kept over backends that decide where to send themselves', () => {
    const path = { kind: 'full', value: '/x' } as const
    const filters: RouteFilter[] = [{ kind: 'rewrite', host: undefined, path }]
    const backends = [backendRef('catalog-v1', { filters }), backendRef('catalog-v2')]
    expect(weights(rulesOf(modelOf(routeOf('r', 'catalog', [routeRule({ session, backends })]))))).toEqual([
      {},
    ])
  })
})

describe('with grants required', () => {
  const foreign = routeOf('r', 'catalog', [
    routeRule({ backends: [backendRef('api', { namespace: 'other' })] }),
  ])
  const ports = [{ name: 'http', port: 8080, protocol: '' }]
  const api: Change = {
    kind: 'service',
    key: 'other/api',
    value: {
      namespace: 'other',
      name: 'api',
      clusterIps: [],
      ports,
      opaquePorts: undefined,
      traffic: noTrafficSettings,
    },
  }
  const grant = (services?: readonly string[], kind: RouteKind = 'HTTPRoute'): Change => ({
    kind: 'grant',
    key: 'other/g',
    value: { namespace: 'other', name: 'g', from: [{ kind, namespace: 'shop' }], services },
  })
  const weightsOf = (requireGrants: boolean, ...grants: readonly Change[]) => {
    const model = new MeshModel({ requireGrants })
    model.apply([service('catalog'), api, foreign])
    const dirty = model.apply(grants)
    return { weights: weights(rulesOf(model)), touched: dirty.services.has('shop/catalog') }
  }
  test('a backend in another namespace needs one', () => {
    expect(weightsOf(true).weights).toEqual([{ invalid: 1 }])
    expect(weightsOf(true, grant())).toEqual({ weights: [{ 'other/api': 1 }], touched: true })
    expect(weightsOf(true, grant(['api'])).weights).toEqual([{ 'other/api': 1 }])
    expect(weightsOf(true, grant(['else'])).weights).toEqual([{ invalid: 1 }])
    expect(weightsOf(true, grant(undefined, 'GRPCRoute')).weights).toEqual([{ invalid: 1 }])
  })
  test('its removal takes the backend away', () => {
    expect(weightsOf(true, grant(), removed(grant())).weights).toEqual([{ invalid: 1 }])
  })
  test('not so in a mesh as it is by itself', () => {
    expect(weightsOf(false).weights).toEqual([{ 'other/api': 1 }])
  })
})

type Candidate = {
  readonly match: RouteMatch
  readonly created: number
  readonly name: string
  readonly place: number
}

/** The text of the API, sentence by sentence: whether `a` takes precedence over `b`. */
function precedes(a: Candidate, b: Candidate): boolean {
  const exact = (x: Candidate) => x.match.path.kind === 'exact'
  if (exact(a) !== exact(b)) return exact(a)
  const characters = (x: Candidate) =>
    x.match.path.kind === 'prefix' ? x.match.path.value.replace(/\/$/, '').length : 0
  if (characters(a) !== characters(b)) return characters(a) > characters(b)
  // What the API leaves open: a regex before what takes every path.
  const regex = (x: Candidate) => x.match.path.kind === 'regex'
  if (regex(a) !== regex(b)) return regex(a)
  const method = (x: Candidate) => x.match.method !== undefined
  if (method(a) !== method(b)) return method(a)
  if (a.match.headers.length !== b.match.headers.length)
    return a.match.headers.length > b.match.headers.length
  if (a.match.query.length !== b.match.query.length) return a.match.query.length > b.match.query.length
  if (a.created !== b.created) return a.created < b.created
  if (a.name !== b.name) return a.name < b.name
  return a.place < b.place
}

const text = (name: string) => ({ name, value: '1', regex: false })
const anyMatch: fc.Arbitrary<RouteMatch> = fc.record({
  path: fc.oneof(
    fc.constantFrom('/', '/a', '/a/', '/a/b', '/ab').map((value) => ({ kind: 'prefix', value }) as const),
    fc.constantFrom('/a', '/a/b').map((value) => ({ kind: 'exact', value }) as const),
    fc.constantFrom('/a.*', '/.+').map((value) => ({ kind: 'regex', value }) as const),
  ),
  headers: fc.subarray(['x', 'y', 'z']).map((names) => names.map(text)),
  query: fc.subarray(['p', 'q']).map((names) => names.map(text)),
  method: fc.option(fc.constantFrom('GET', 'POST'), { nil: undefined }),
})
const anyRule = fc.array(anyMatch, { minLength: 1, maxLength: 3 })
const anyRoute = fc.record({ created: fc.constantFrom(1, 2), rules: fc.array(anyRule, { maxLength: 3 }) })

test('rules stand in the order that the Gateway API gives them', () => {
  fc.assert(
    fc.property(fc.array(anyRoute, { minLength: 1, maxLength: 4 }), (routes) => {
      const changes = routes.map(({ created, rules }, i) => {
        const made = rules.map((matches): RouteRule => routeRule({ matches }))
        return routeOf(`r${i}`, 'catalog', made, { createdMs: created })
      })
      const candidates = routes.flatMap(({ created, rules }, i) =>
        rules.flatMap((matches, r) =>
          matches.map((one, m): Candidate => ({ match: one, created, name: `r${i}`, place: r * 100 + m })),
        ),
      )
      const left = [...candidates]
      const expected: RouteMatch[] = []
      while (left.length > 0) {
        const first = left.find((a) => left.every((b) => a === b || precedes(a, b)))
        expected.push((first as Candidate).match)
        left.splice(left.indexOf(first as Candidate), 1)
      }
      expect(rulesOf(modelOf(...changes)).map((rule) => rule.match)).toEqual(expected)
    }),
    { numRuns: 300 },
  )
})
