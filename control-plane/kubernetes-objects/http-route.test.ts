import { describe, expect, test } from 'vitest'
import type { Route, RouteRule } from '../model/route.ts'
import { convertObject } from './convert.ts'
import { formatProblem } from './field-reader.ts'

const parentRefs = [{ group: '', kind: 'Service', name: 'catalog', port: 8080, sectionName: 'http' }]

function convert(spec: object, apiVersion = 'gateway.networking.k8s.io/v1') {
  return convertObject({
    apiVersion,
    kind: 'HTTPRoute',
    metadata: { name: 'r', namespace: 'shop', creationTimestamp: '2026-01-02T03:04:05Z' },
    spec: { parentRefs, ...spec },
  })
}

function routeOf(spec: object): Route {
  const converted = convert(spec)
  if (converted.outcome !== 'converted') throw new Error(JSON.stringify(converted))
  return converted.change?.value as Route
}

function ruleOf(rule: object): RouteRule {
  return routeOf({ rules: [rule] }).rules[0] as RouteRule
}

function problemsOf(rule: object): readonly string[] {
  const converted = convert({ rules: [rule] })
  if (converted.outcome !== 'refused') return []
  return converted.problems.map(formatProblem)
}

test.each(['v1', 'v1beta1'])('%s is read', (version) => {
  expect(convert({}, `gateway.networking.k8s.io/${version}`).outcome).toBe('converted')
})

test('a parent comes with its port and section, and as it was written', () => {
  expect(routeOf({}).parents).toEqual([
    { namespace: 'shop', service: 'catalog', port: 8080, sectionName: 'http', reference: parentRefs[0] },
  ])
  expect(routeOf({ parentRefs: [{ name: 'gateway' }] }).parents).toEqual([])
})

test('what is not said is what the API says', () => {
  expect(routeOf({}).rules).toEqual([ruleOf({})])
  expect(routeOf({ rules: [] }).rules).toEqual([])
  expect(ruleOf({ backendRefs: [{ name: 'a', port: 80 }], matches: [{}] })).toEqual({
    name: undefined,
    matches: [{ path: { kind: 'prefix', value: '/' }, headers: [], query: [], method: undefined }],
    filters: [],
    backends: [{ namespace: 'shop', service: 'a', port: 80, unsupported: false, weight: 1, filters: [] }],
    timeoutMs: undefined,
    attemptTimeoutMs: undefined,
    retry: undefined,
    session: undefined,
  })
})

test('every kind of match arrives; of two for one name the first counts', () => {
  const regex = { type: 'RegularExpression' }
  const [match] = ruleOf({
    matches: [
      {
        path: { ...regex, value: '/v[0-9]+' },
        method: 'PUT',
        headers: [
          { name: 'X-Team', value: 'a' },
          { name: 'x-team', value: 'b' },
        ],
        queryParams: [{ name: 'q', value: '1+', ...regex }],
      },
    ],
  }).matches
  expect(match).toEqual({
    path: { kind: 'regex', value: '/v[0-9]+' },
    method: 'PUT',
    headers: [{ name: 'x-team', value: 'a', regex: false }],
    query: [{ name: 'q', value: '1+', regex: true }],
  })
})

test('every filter arrives, on rules and on backends', () => {
  const modifier = { set: [{ name: 'A', value: '1' }], add: [{ name: 'b', value: '2' }], remove: ['C'] }
  const filters = [
    { type: 'RequestHeaderModifier', requestHeaderModifier: modifier },
    { type: 'ResponseHeaderModifier', responseHeaderModifier: modifier },
    {
      type: 'URLRewrite',
      urlRewrite: {
        hostname: 'other.shop',
        path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '' },
      },
    },
    { type: 'RequestMirror', requestMirror: { backendRef: { name: 'm', port: 80 } } },
    { type: 'RequestMirror', requestMirror: { backendRef: { name: 'n', port: 80 }, percent: 25 } },
    {
      type: 'RequestMirror',
      requestMirror: { backendRef: { name: 'o', port: 80 }, fraction: { numerator: 1, denominator: 3 } },
    },
    { type: 'ExtensionRef', extensionRef: { group: 'x', kind: 'y', name: 'z' } },
  ]
  const to = (service: string) => ({ namespace: 'shop', service, port: 80, unsupported: false })
  const read = [
    { kind: 'requestHeaders', modifier },
    { kind: 'responseHeaders', modifier },
    { kind: 'rewrite', host: 'other.shop', path: { kind: 'prefix', value: '' } },
    { kind: 'mirror', to: to('m'), fraction: { numerator: 100, denominator: 100 } },
    { kind: 'mirror', to: to('n'), fraction: { numerator: 25, denominator: 100 } },
    { kind: 'mirror', to: to('o'), fraction: { numerator: 1, denominator: 3 } },
    { kind: 'unsupported', type: 'ExtensionRef' },
  ]
  const rule = ruleOf({ filters, backendRefs: [{ name: 'a', port: 80, filters }] })
  expect(rule.filters).toEqual(read)
  expect(rule.backends[0]?.filters).toEqual(read)
})

test('a redirect arrives with every field, and is 302 by itself', () => {
  const redirectOf = (requestRedirect: object) =>
    ruleOf({ filters: [{ type: 'RequestRedirect', requestRedirect }] }).filters[0]
  expect(redirectOf({})).toMatchObject({ redirect: { status: 302 } })
  expect(
    redirectOf({
      scheme: 'https',
      hostname: 'a.example',
      port: 8443,
      statusCode: 308,
      path: { type: 'ReplaceFullPath', replaceFullPath: '/x' },
    }),
  ).toEqual({
    kind: 'redirect',
    redirect: {
      scheme: 'https',
      host: 'a.example',
      port: 8443,
      status: 308,
      path: { kind: 'full', value: '/x' },
    },
  })
})

test('timeouts, retries and sessions arrive', () => {
  const rule = ruleOf({
    timeouts: { request: '2s', backendRequest: '500ms' },
    retry: { codes: [500, 503], attempts: 3, backoff: '100ms' },
    sessionPersistence: {
      sessionName: 'stick',
      type: 'Cookie',
      absoluteTimeout: '1h',
      idleTimeout: '10m',
      cookieConfig: { lifetimeType: 'Permanent' },
    },
  })
  expect(rule).toMatchObject({
    timeoutMs: 2000,
    attemptTimeoutMs: 500,
    retry: { statusCodes: [500, 503], limit: 3, backoffMs: 100 },
    session: {
      kind: 'cookie',
      name: 'stick',
      absoluteTimeoutMs: 3_600_000,
      idleTimeoutMs: 600_000,
      permanent: true,
    },
  })
  expect(ruleOf({ timeouts: { request: '0s' } }).timeoutMs).toBe(0)
})

describe('is refused with its path', () => {
  const header = (set: object) => ({
    filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: set }],
  })
  const redirect = (requestRedirect: object) => ({ type: 'RequestRedirect', requestRedirect })
  const rewrite = (urlRewrite: object) => ({ type: 'URLRewrite', urlRewrite })
  test.each<[string, object, string]>([
    [
      'a header without a value to match',
      { matches: [{ headers: [{ name: 'x', value: '' }] }] },
      'spec.rules[0].matches[0].headers[0].value: must not be empty',
    ],
    [
      'a regex with look-around',
      { matches: [{ path: { type: 'RegularExpression', value: '(?=a)' } }] },
      'spec.rules[0].matches[0].path.value: error parsing regexp',
    ],
    [
      'a regex that would stall',
      { matches: [{ headers: [{ name: 'x', type: 'RegularExpression', value: '((a{50}){50}){50}' }] }] },
      'spec.rules[0].matches[0].headers[0].value: regex repeats too much',
    ],
    [
      'a regex that is too long',
      { matches: [{ queryParams: [{ name: 'x', type: 'RegularExpression', value: 'a'.repeat(1025) }] }] },
      'spec.rules[0].matches[0].queryParams[0].value: regex is longer than 1024',
    ],
    ['a relative path', { matches: [{ path: { value: 'a' } }] }, 'matches[0].path.value: must be a path'],
    ['a path with //', { matches: [{ path: { value: '/a//b' } }] }, 'path.value: must not hold //'],
    ['a path with ..', { matches: [{ path: { value: '/a/..' } }] }, 'path.value: must not hold'],
    [
      'an unknown kind of match',
      { matches: [{ path: { type: 'Glob', value: '/' } }] },
      'path.type: must be one of',
    ],
    ['a method that is none', { matches: [{ method: 'FETCH' }] }, 'matches[0].method: must be one of'],
    [
      'a header name that is none',
      { matches: [{ headers: [{ name: 'a b', value: '1' }] }] },
      'headers[0].name: must be',
    ],
    [
      'a value that would end its header',
      header({ set: [{ name: 'x', value: 'a\r\nb: c' }] }),
      'requestHeaderModifier.set[0].value: must be printable ASCII',
    ],
    [
      'a header that frames the message',
      header({ remove: ['Transfer-Encoding'] }),
      "requestHeaderModifier.remove[0]: 'transfer-encoding' frames the message",
    ],
    [
      'two things with one header',
      header({ set: [{ name: 'x', value: '1' }], remove: ['X'] }),
      "requestHeaderModifier: does more than one thing with 'x'",
    ],
    [
      'a redirect to another scheme',
      { filters: [redirect({ scheme: 'ftp' })] },
      'requestRedirect.scheme: must be',
    ],
    [
      'a redirect to what is no host',
      { filters: [redirect({ hostname: 'a:80' })] },
      'requestRedirect.hostname: must be',
    ],
    [
      'a redirect that is none',
      { filters: [redirect({ statusCode: 200 })] },
      'requestRedirect.statusCode: must be one of',
    ],
    [
      'a redirect beside backends',
      { filters: [redirect({})], backendRefs: [{ name: 'a', port: 80 }] },
      'spec.rules[0].backendRefs: must be empty',
    ],
    [
      'a redirect beside a rewrite',
      { filters: [redirect({}), rewrite({})] },
      'spec.rules[0].filters: holds both RequestRedirect and URLRewrite',
    ],
    ['a filter twice', { filters: [rewrite({}), rewrite({})] }, 'filters[1]: repeats a filter'],
    [
      'a filter without its settings',
      { filters: [{ type: 'URLRewrite' }] },
      'filters[0].urlRewrite: is required',
    ],
    [
      'a prefix replaced that was not matched',
      {
        matches: [{ path: { type: 'Exact', value: '/a' } }],
        filters: [rewrite({ path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/b' } })],
      },
      'spec.rules[0].matches: must be one PathPrefix',
    ],
    [
      'a path that would end the request line',
      { filters: [rewrite({ path: { type: 'ReplaceFullPath', replaceFullPath: '/a b' } })] },
      'path.replaceFullPath: must be a path',
    ],
    [
      'a share above all',
      {
        filters: [
          {
            type: 'RequestMirror',
            requestMirror: { backendRef: { name: 'a' }, fraction: { numerator: 2, denominator: 1 } },
          },
        ],
      },
      'fraction.numerator: must not be larger',
    ],
    [
      'a weight above a million',
      { backendRefs: [{ name: 'a', port: 80, weight: 1_000_001 }] },
      'weight: must be',
    ],
    [
      'attempts longer than the request',
      { timeouts: { request: '1s', backendRequest: '2s' } },
      'timeouts.backendRequest: must not be longer',
    ],
    [
      'a status that is not retried',
      { retry: { codes: [200] } },
      'retry.codes[0]: must be a whole number, 400 to 599',
    ],
    [
      'a permanent cookie without an end',
      { sessionPersistence: { cookieConfig: { lifetimeType: 'Permanent' } } },
      'sessionPersistence.absoluteTimeout: is required',
    ],
  ])('%s', (_what, rule, problem) => {
    expect(problemsOf(rule).join('\n')).toContain(problem)
  })
  test('a name of two rules', () => {
    const converted = convert({ rules: [{ name: 'a' }, { name: 'a' }] })
    expect(converted.outcome === 'refused' && converted.problems[0]?.path).toEqual([
      'spec',
      'rules',
      1,
      'name',
    ])
  })
})

test('a grant lets routes of some namespaces refer to some Services, or all', () => {
  const grant = (to: readonly object[]) =>
    convertObject({
      apiVersion: 'gateway.networking.k8s.io/v1beta1',
      kind: 'ReferenceGrant',
      metadata: { name: 'g', namespace: 'shop' },
      spec: {
        from: [
          { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'web' },
          { group: 'gateway.networking.k8s.io', kind: 'GRPCRoute', namespace: 'web' },
          { group: 'gateway.networking.k8s.io', kind: 'TCPRoute', namespace: 'other' },
        ],
        to,
      },
    })
  const service = { group: '', kind: 'Service' }
  expect(
    grant([
      { ...service, name: 'a' },
      { group: '', kind: 'Secret' },
    ]),
  ).toMatchObject({
    change: {
      value: {
        namespace: 'shop',
        from: [
          { kind: 'HTTPRoute', namespace: 'web' },
          { kind: 'GRPCRoute', namespace: 'web' },
        ],
        services: ['a'],
      },
    },
  })
  expect(grant([{ ...service, name: 'a' }, service])).toMatchObject({
    change: { value: { services: undefined } },
  })
})
