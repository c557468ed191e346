import { describe, expect, test } from 'vitest'
import { MeshModel } from './mesh-model.ts'
import type { Change } from './objects.ts'
import { routeFindings } from './route-findings.ts'
import { routeStatus } from './route-status.ts'
import type { Route, RouteFilter, RouteRule } from './route.ts'
import { backendRef, routeOf, routeRule, service } from './test-objects.ts'

const unsupported: RouteFilter = { kind: 'unsupported', type: 'CORS' }

function statusOf(rules: readonly RouteRule[], facts: Partial<Route> = {}, requireGrants = false) {
  const model = new MeshModel({ requireGrants })
  const change: Change = routeOf('r', 'catalog', rules, facts)
  model.apply([service('catalog'), service('catalog-v1'), change])
  const { parents } = routeStatus(model, change.value as Route)
  const findings = routeFindings(model, 'shop/catalog').map(({ code, message }) => `${code}: ${message}`)
  const conditions = parents[0]?.conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`)
  return { conditions, findings, parents }
}

const good = routeRule({ backends: [backendRef('catalog-v1')] })

test('a route that is followed as it stands is accepted and resolved, and nobody is told', () => {
  expect(statusOf([good])).toMatchObject({
    conditions: ['Accepted True Accepted', 'ResolvedRefs True ResolvedRefs'],
    findings: [],
  })
})

test('a parent is named as it was written', () => {
  const reference = { kind: 'Service', group: 'core', name: 'catalog' }
  const parents = [
    { namespace: 'shop', service: 'catalog', port: undefined, sectionName: undefined, reference },
  ]
  expect(statusOf([good], { parents }).parents[0]?.parentRef).toBe(reference)
})

describe('Accepted is False with NoMatchingParent', () => {
  const parent = {
    namespace: 'shop',
    service: 'catalog',
    port: undefined,
    sectionName: undefined,
    reference: {},
  }
  test.each([
    [{ ...parent, port: 9 }, "its parent 'shop/catalog' has no port 9"],
    [{ ...parent, sectionName: 'grpc' }, "its parent 'shop/catalog' has no port grpc"],
  ])('for %j', (wrong, message) => {
    const { conditions, findings } = statusOf([good], { parents: [wrong] })
    expect(conditions?.[0]).toBe('Accepted False NoMatchingParent')
    expect(findings).toEqual([`ROUTE_PARENT_UNKNOWN: ${message}`])
  })
  test('for a Service that does not exist, though the other parent is fine', () => {
    const model = new MeshModel()
    const parents = [parent, { ...parent, service: 'ghost' }]
    const change = routeOf('r', 'catalog', [good], { parents })
    model.apply([service('catalog'), service('catalog-v1'), change])
    expect(
      routeStatus(model, change.value as Route).parents.map(({ conditions }) => conditions[0]?.reason),
    ).toEqual(['Accepted', 'NoMatchingParent'])
    expect(routeFindings(model, 'shop/ghost')).toHaveLength(1)
  })
})

describe('beside a GRPCRoute', () => {
  const conditionsBeside = (facts: Partial<Route>) => {
    const model = new MeshModel()
    const http = routeOf('h', 'catalog', [good])
    const grpc = routeOf('g', 'catalog', [good], { kind: 'GRPCRoute', ...facts })
    model.apply([service('catalog'), service('catalog-v1'), http, grpc])
    const [of, other] = [http, grpc].map((change) => routeStatus(model, change.value as Route))
    const findings = routeFindings(model, 'shop/catalog').map(({ object, code }) => `${object} ${code}`)
    return { http: of?.parents[0]?.conditions[0], grpc: other?.parents[0]?.conditions[0], findings }
  }
  test('for the same clients, an HTTPRoute is Conflicted', () => {
    const { http, grpc, findings } = conditionsBeside({})
    expect(http).toEqual({
      type: 'Accepted',
      status: 'False',
      reason: 'Conflicted',
      message: "GRPCRoute 'shop/g' counts instead for 'shop/catalog'",
    })
    expect(grpc).toMatchObject({ status: 'True' })
    expect(findings).toEqual(['HTTPRoute shop/h ROUTE_CONFLICTED'])
  })
  test('for other clients or for another port, it is not', () => {
    const reference = { kind: 'Service', group: '', name: 'catalog' }
    const parent = { namespace: 'shop', service: 'catalog', port: 9, sectionName: undefined, reference }
    expect(conditionsBeside({ namespace: 'web' }).http).toMatchObject({ reason: 'Accepted' })
    expect(conditionsBeside({ parents: [parent] }).http).toMatchObject({ reason: 'Accepted' })
  })
})

describe('what cannot be followed', () => {
  test('in every rule makes the route unaccepted', () => {
    const { conditions, findings } = statusOf([routeRule({ filters: [unsupported] })])
    expect(conditions?.[0]).toBe('Accepted False UnsupportedValue')
    expect(findings).toEqual([
      'ROUTE_VALUE_UNSUPPORTED: rules[0]: filter CORS is not supported; it fails with 500',
    ])
  })
  test('in some makes it partially invalid', () => {
    expect(statusOf([good, routeRule({ filters: [unsupported] })]).conditions).toEqual([
      'Accepted True Accepted',
      'PartiallyInvalid True UnsupportedValue',
      'ResolvedRefs True ResolvedRefs',
    ])
  })
  test('in a backend is named with its place', () => {
    const backends = [backendRef('catalog-v1'), backendRef('catalog-v1', { filters: [unsupported] })]
    expect(statusOf([routeRule({ backends })]).findings[0]).toContain('rules[0].backendRefs[1]: filter CORS')
  })
})

describe('ResolvedRefs is False', () => {
  test.each([
    ['BackendNotFound', backendRef('ghost'), "backend 'shop/ghost:8080' is no port of a Service"],
    [
      'BackendNotFound',
      backendRef('catalog-v1', { port: 9 }),
      "backend 'shop/catalog-v1:9' is no port of a Service",
    ],
    ['InvalidKind', backendRef('bucket', { unsupported: true }), "backend 'shop/bucket' is not a Service"],
  ])('with %s', (reason, backend, message) => {
    const { conditions, findings } = statusOf([routeRule({ backends: [backend] })])
    expect(conditions?.at(-1)).toBe(`ResolvedRefs False ${reason}`)
    expect(findings[0]).toContain(message)
  })
  test('for what a mirror refers to, too', () => {
    const fraction = { numerator: 1, denominator: 1 }
    const filters: RouteFilter[] = [{ kind: 'mirror', to: backendRef('ghost'), fraction }]
    expect(statusOf([{ ...good, filters }]).conditions?.at(-1)).toBe('ResolvedRefs False BackendNotFound')
  })
  test('with RefNotPermitted, and not a word about whether the Service exists', () => {
    const backends = [backendRef('ghost', { namespace: 'other' })]
    const { conditions, findings } = statusOf([routeRule({ backends })], {}, true)
    expect(conditions?.at(-1)).toBe('ResolvedRefs False RefNotPermitted')
    expect(findings[0]).toContain("no ReferenceGrant lets 'shop' refer to 'other/ghost'")
  })
})
