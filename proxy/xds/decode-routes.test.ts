import { describe, expect, test } from 'vitest'
import { pack } from '../../api/xds/codec.ts'
import { statefulSessionFilter, weftMetadata } from '../../api/xds/naming.ts'
import { toStruct } from '../../api/xds/struct.ts'
import type { RouteConfiguration, RouteMatch } from '../../api/xds/types.ts'
import { decodeRoutes } from './decode-routes.ts'
import { decoded } from './problems.ts'

function decodeWith(match: RouteMatch, route: object = { route: { cluster: 'a' } }) {
  const config: RouteConfiguration = {
    virtualHosts: [{ domains: ['*'], routes: [{ name: 'r', match, ...route }] }],
  }
  return decoded((problems) => decodeRoutes(config, problems))
}

describe('what is refused, with its path', () => {
  test.each([
    [
      'a regex whose repetitions multiply',
      { safeRegex: { regex: '((a{50}){50}){50}' } },
      'match.safe_regex: regex repeats too much',
    ],
    ['a regex that is none', { safeRegex: { regex: '(' } }, 'match.safe_regex: error parsing regexp'],
    ['a regex that is too long', { safeRegex: { regex: 'a'.repeat(1025) } }, 'longer than 1024'],
    ['a back-reference', { safeRegex: { regex: '(a)\\1' } }, 'match.safe_regex: error parsing regexp'],
    [
      'look-around in a header',
      { prefix: '/', headers: [{ name: 'x', stringMatch: { safeRegex: { regex: '(?!a)' } } }] },
      'match.headers[0].string_match.safe_regex: error parsing regexp',
    ],
    ['a match without a path', {}, 'has no path, prefix or regex'],
    [
      'a header without a name',
      { prefix: '/', headers: [{ presentMatch: true }] },
      'match.headers[0].name: is empty',
    ],
  ])('%s', (_name, match, problem) => {
    const result = decodeWith(match)
    expect(result.ok).toBe(false)
    if (!result.ok) expect(result.problems.join('\n')).toContain(problem)
  })
  test.each([
    ['no action', {}, 'has no action'],
    [
      'weights that are all zero',
      { route: { weightedClusters: { clusters: [{ name: 'a', weight: { value: 0 } }] } } },
      'all weights are zero',
    ],
    [
      'a redirect to another protocol',
      { redirect: { schemeRedirect: 'ftp' } },
      'scheme_redirect: must be http or https',
    ],
    [
      'a redirect to what is no host',
      { redirect: { hostRedirect: 'a b' } },
      'redirect.host_redirect: must be',
    ],
    [
      'a redirect to what is no path',
      { redirect: { pathRedirect: '/a\r\nb' } },
      'redirect.path_redirect: must be',
    ],
    [
      'a rewrite to what is no path',
      { route: { cluster: 'a', prefixRewrite: '/a b' } },
      'route.prefix_rewrite: must be a path',
    ],
    [
      'a rewrite by a regex of its own, which would be ignored in silence',
      { route: { cluster: 'a', regexRewrite: { pattern: { regex: '/(.*)' }, substitution: '/\\1' } } },
      'route.regex_rewrite.pattern: is not supported',
    ],
    [
      'a host that is none',
      { route: { cluster: 'a', hostRewriteLiteral: 'a\r\nb' } },
      'route.host_rewrite_literal: must be',
    ],
    [
      'a host out of a header',
      { route: { cluster: 'a', hostRewriteHeader: 'x' } },
      'route.host_rewrite_header: is not supported',
    ],
    [
      'a copy under another host',
      { route: { cluster: 'a', requestMirrorPolicies: [{ cluster: 'b' }] } },
      'request_mirror_policies[0].disable_shadow_host_suffix_append: must be true',
    ],
    [
      'a header that would end a header',
      { route: { cluster: 'a' }, requestHeadersToAdd: [{ header: { key: 'x', value: 'a\r\nb: c' } }] },
      'request_headers_to_add[0].header.value: must be printable ASCII',
    ],
    [
      'a header that frames the message',
      { route: { cluster: 'a' }, responseHeadersToRemove: ['x', 'Content-Length'] },
      "response_headers_to_remove[1]: 'content-length' frames the message",
    ],
    [
      'a command in a value',
      { route: { cluster: 'a' }, requestHeadersToAdd: [{ header: { key: 'x', value: '%REQ(a)%' } }] },
      'request_headers_to_add[0].header.value: holds a command',
    ],
    [
      'a header of a backend that is none',
      {
        route: {
          weightedClusters: {
            clusters: [
              {
                name: 'a',
                weight: { value: 1 },
                requestHeadersToAdd: [{ header: { key: 'a b', value: '' } }],
              },
            ],
          },
        },
      },
      'weighted_clusters.clusters[0].request_headers_to_add[0].header.key: must be a header name',
    ],
    [
      'a name that would end a header',
      { name: 'a\r\nb', route: { cluster: 'a' } },
      'name: must be printable',
    ],
    ['an inbound route', { nonForwardingAction: {} }, 'non_forwarding_action'],
  ])('%s', (_name, route, problem) => {
    const result = decodeWith({ prefix: '/' }, route)
    expect(result.ok ? '' : result.problems.join('\n')).toContain(problem)
  })
  test('every problem at once', () => {
    const result = decodeWith({ headers: [{ presentMatch: true }] }, {})
    expect(result.ok ? [] : result.problems).toHaveLength(3)
  })
})

test('weights, matches and the timeout arrive, and the clusters are named', () => {
  const clusters = [
    { name: 'a', weight: { value: 9 } },
    { name: 'b', weight: { value: 1 } },
  ]
  const result = decodeWith(
    { pathSeparatedPrefix: '/x' },
    { route: { weightedClusters: { clusters }, timeout: { seconds: 1, nanos: 5e8 } } },
  )
  if (!result.ok) throw new Error(result.problems.join())
  const [rule] = result.value.hosts[0]?.rules ?? []
  expect(rule?.match.path).toEqual({ kind: 'pathPrefix', value: '/x' })
  expect(rule?.action).toEqual({
    kind: 'forward',
    clusters: [
      { cluster: 'a', weight: 9 },
      { cluster: 'b', weight: 1 },
    ],
    sharesMove: false,
  })
  expect(rule?.timeoutMs).toBe(1500)
  expect([...result.value.clusters]).toEqual(['a', 'b'])
})

/** The one rule of a route that matches everything below `/x`. */
function ruleOf(route: object) {
  const result = decodeWith({ pathSeparatedPrefix: '/x' }, route)
  if (!result.ok) throw new Error(result.problems.join())
  return { rule: result.value.hosts[0]?.rules[0], clusters: [...result.value.clusters] }
}

test('what a route changes arrives', () => {
  const { rule, clusters } = ruleOf({
    route: {
      cluster: 'a',
      prefixRewrite: '/y',
      hostRewriteLiteral: 'other.shop',
      requestMirrorPolicies: [
        {
          cluster: 'm',
          disableShadowHostSuffixAppend: true,
          runtimeFraction: { defaultValue: { numerator: 25, denominator: 'TEN_THOUSAND' } },
        },
      ],
    },
    requestHeadersToRemove: ['X-Gone'],
    requestHeadersToAdd: [
      { header: { key: 'X-Set', value: '100%%' }, appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD' },
      { header: { key: 'X-Add', value: '1' } },
      { header: { key: 'X-Old', value: '1' }, append: { value: false } },
    ],
    responseHeadersToAdd: [{ header: { key: 'X-New', value: '1' }, appendAction: 'ADD_IF_ABSENT' }],
  })
  expect(rule?.filters).toEqual({
    requestHeaders: [
      { kind: 'remove', name: 'x-gone' },
      { kind: 'set', name: 'X-Set', value: '100%' },
      { kind: 'add', name: 'X-Add', value: '1' },
      { kind: 'set', name: 'X-Old', value: '1' },
    ],
    responseHeaders: [{ kind: 'addIfAbsent', name: 'X-New', value: '1' }],
    host: 'other.shop',
    path: { kind: 'elements', matched: '/x', value: '/y' },
    mirrors: [{ cluster: 'm', share: 0.0025 }],
  })
  expect(clusters).toEqual(['a', 'm'])
})

test('a redirect arrives with every field', () => {
  const { rule } = ruleOf({
    redirect: {
      schemeRedirect: 'https',
      hostRedirect: 'example.com',
      portRedirect: 8443,
      prefixRewrite: '/y',
      responseCode: 'PERMANENT_REDIRECT',
      stripQuery: true,
    },
  })
  expect(rule?.action).toEqual({
    kind: 'redirect',
    redirect: {
      scheme: 'https',
      host: 'example.com',
      port: 8443,
      path: { kind: 'elements', matched: '/x', value: '/y' },
      dropQuery: true,
      status: 308,
    },
  })
})

test('a route without filters has none, and costs nothing', () => {
  const { rule } = ruleOf({ route: { cluster: 'a' } })
  expect([rule?.filters, rule?.session]).toEqual([undefined, undefined])
})

test('a share of the requests arrives', () => {
  const fraction = { defaultValue: { numerator: 30 } }
  const result = decodeWith({ prefix: '/', runtimeFraction: fraction })
  expect(result.ok && result.value.hosts[0]?.rules[0]?.match.share).toBe(0.3)
})

test('a session arrives, with the times that Envoy has no field for', () => {
  const state = pack('envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState', {
    cookie: { name: 'stick', ttl: { seconds: 60 }, path: '/x' },
  })
  const perRoute = pack('envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute', {
    statefulSession: { sessionState: { name: 'cookie', typedConfig: state } },
  })
  const { rule } = ruleOf({
    route: { cluster: 'a' },
    typedPerFilterConfig: { [statefulSessionFilter]: perRoute },
    metadata: { filterMetadata: { [weftMetadata]: toStruct({ sessionIdleTimeoutMs: 5000 }) } },
  })
  expect(rule?.session).toEqual({
    kind: 'cookie',
    name: 'stick',
    path: '/x',
    maxAgeMs: 60_000,
    absoluteTimeoutMs: undefined,
    idleTimeoutMs: 5000,
  })
})
