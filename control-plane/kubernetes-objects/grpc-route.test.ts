import { describe, expect, test } from 'vitest'
import type { Route, RouteRule } from '../model/route.ts'
import { convertObject } from './convert.ts'
import { formatPath } from './field-reader.ts'

const parentRefs = [{ group: '', kind: 'Service', name: 'orders', port: 8080 }]

function convert(spec: object, annotations: object = {}) {
  return convertObject({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GRPCRoute',
    metadata: { name: 'r', namespace: 'shop', annotations },
    spec: { parentRefs, ...spec },
  })
}

function routeOf(spec: object, annotations: object = {}): Route {
  const converted = convert(spec, annotations)
  if (converted.outcome !== 'converted') throw new Error(JSON.stringify(converted))
  return converted.change?.value as Route
}

function problemsOf(rule: object, annotations: object = {}): readonly string[] {
  const converted = convert({ rules: [rule] }, annotations)
  if (converted.outcome !== 'refused') return []
  return converted.problems.map(({ path, problem }) => `${formatPath(path)}: ${problem}`)
}

const ruleOf = (rule: object): RouteRule => routeOf({ rules: [rule] }).rules[0] as RouteRule

test('it is a change of its own kind: an HTTPRoute may have the same name', () => {
  expect(convert({})).toMatchObject({
    identity: 'GRPCRoute shop/r',
    change: { kind: 'grpcRoute', key: 'shop/r', value: { kind: 'GRPCRoute', rules: [{ matches: [] }] } },
  })
})

describe('a method is a path', () => {
  const pathOf = (method: object | undefined) => ruleOf({ matches: [{ method }] }).matches[0]?.path
  test.each([
    [{ service: 'shop.Orders', method: 'Place' }, 'exact', '/shop.Orders/Place'],
    [{ service: 'shop.Orders' }, 'prefix', '/shop.Orders'],
    [{ method: 'Place' }, 'regex', '/[^/]+/(?:Place)'],
    [undefined, 'prefix', '/'],
  ])('%j: %s %s', (method, kind, value) => {
    expect(pathOf(method)).toMatchObject({ kind, value })
  })
  test.each([
    [{ service: 'shop[.].*', method: 'Get.*' }, '/(?:shop[.].*)/(?:Get.*)'],
    [{ service: 'a|b' }, '/(?:a|b)/[^/]+'],
    [{ method: 'Get|List' }, '/[^/]+/(?:Get|List)'],
  ])('by regex: %j', (method, value) => {
    expect(pathOf({ type: 'RegularExpression', ...method })).toMatchObject({ kind: 'regex', value })
  })
  test('the characters of the service rank a regex, then those of the method', () => {
    const rank = (method: object) => pathOf({ type: 'RegularExpression', ...method })?.rank ?? 0
    expect(rank({ service: 'ab' })).toBeGreaterThan(rank({ service: 'a', method: 'longer.than.that' }))
    expect(rank({ service: 'a', method: 'b' })).toBeGreaterThan(rank({ service: 'a' }))
  })
  test.each([
    [{}, 'method: must have a service or a method'],
    [{ service: '/shop' }, 'method.service: is no name in a .proto'],
    [{ service: 'shop', method: 'a.b' }, 'method.method: is no name in a .proto'],
    [{ service: '' }, 'method.service: must have 1 to 1024 characters'],
    [{ type: 'Prefix', service: 'a' }, 'method.type: must be one of Exact, RegularExpression'],
    [{ type: 'RegularExpression', service: '(' }, 'method.service:'],
  ])('%j is refused', (method, problem) => {
    const [first] = problemsOf({ matches: [{ method }] })
    expect(first).toContain(`spec.rules[0].matches[0].${problem}`)
  })
})

test('headers, filters and weights arrive as those of an HTTPRoute', () => {
  const modifier = { set: [{ name: 'A', value: '1' }], add: [], remove: [] }
  const filters = [
    { type: 'RequestHeaderModifier', requestHeaderModifier: modifier },
    { type: 'ResponseHeaderModifier', responseHeaderModifier: modifier },
    { type: 'RequestMirror', requestMirror: { backendRef: { name: 'm', port: 80 } } },
    { type: 'ExtensionRef', extensionRef: { group: 'x', kind: 'y', name: 'z' } },
  ]
  const rule = ruleOf({
    name: 'one',
    matches: [{ headers: [{ name: 'X-Team', type: 'RegularExpression', value: 'a.*' }] }],
    filters,
    backendRefs: [{ name: 'v1', port: 80, weight: 3, filters: [filters[0]] }],
    sessionPersistence: { type: 'Header', sessionName: 'x-session' },
  })
  expect(rule).toMatchObject({
    name: 'one',
    matches: [{ headers: [{ name: 'x-team', value: 'a.*', regex: true }], query: [], method: undefined }],
    filters: [
      { kind: 'requestHeaders', modifier },
      { kind: 'responseHeaders', modifier },
      { kind: 'mirror', to: { service: 'm' } },
      { kind: 'unsupported', type: 'ExtensionRef' },
    ],
    backends: [{ service: 'v1', weight: 3, filters: [{ kind: 'requestHeaders' }] }],
    session: { kind: 'header', name: 'x-session' },
  })
})

test('filters that are for HTTP alone are refused', () => {
  const rewrite = { type: 'URLRewrite', urlRewrite: { hostname: 'a.b' } }
  const text = 'must be one of RequestHeaderModifier, ResponseHeaderModifier, RequestMirror, ExtensionRef'
  expect(problemsOf({ filters: [rewrite] })).toEqual([`spec.rules[0].filters[0].type: ${text}`])
  expect(problemsOf({ backendRefs: [{ name: 'a', port: 80, filters: [rewrite] }] })).toEqual([
    `spec.rules[0].backendRefs[0].filters[0].type: ${text}`,
  ])
})

test('annotations say what is retried, and for how long it is waited', () => {
  const annotations = {
    'retry.weft.dev/grpc': 'unavailable,cancelled',
    'retry.weft.dev/limit': '2',
    'timeout.weft.dev/request': '3s',
  }
  expect(routeOf({}, annotations).traffic).toMatchObject({
    retries: { conditions: ['unavailable', 'cancelled'], limit: 2 },
    timeouts: { requestMs: 3000 },
  })
  expect(problemsOf({}, { 'balancer.weft.dev/type': 'Random' })).toEqual([
    'metadata.annotations.balancer.weft.dev/type: is not known',
  ])
})
