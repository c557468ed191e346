import { describe, expect, test } from 'vitest'
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
    ['a redirect', { redirect: {} }, 'redirect: is not supported'],
    [
      'a rewrite, which would be ignored in silence',
      { route: { cluster: 'a', prefixRewrite: '/x' } },
      'prefix_rewrite: is not supported',
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
  })
  expect(rule?.timeoutMs).toBe(1500)
  expect([...result.value.clusters]).toEqual(['a', 'b'])
})
