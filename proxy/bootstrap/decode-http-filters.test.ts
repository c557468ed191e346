import { describe, expect, test } from 'vitest'
import { decodeStaticListener } from './decode-static-listener.ts'
import { bootstrapFromJson } from './read-bootstrap.ts'
import { Problems } from '../xds/problems.ts'

const types = 'type.googleapis.com/envoy.extensions.filters'
const fault = (rest: object) => ({ '@type': `${types}.http.fault.v3.HTTPFault`, ...rest })
const abort = (status: number, numerator = 100) =>
  fault({ abort: { http_status: status, percentage: { numerator } } })
const always = { default_value: { numerator: 100 } }
const limit = (maxTokens: number, rest: object = {}) => ({
  '@type': `${types}.http.local_ratelimit.v3.LocalRateLimit`,
  stat_prefix: 'l',
  token_bucket: { max_tokens: maxTokens, fill_interval: '60s' },
  filter_enabled: always,
  filter_enforced: always,
  ...rest,
})
const off = { '@type': `${types}.http.local_ratelimit.v3.LocalRateLimit`, stat_prefix: 'l' }
const filter = (name: string, config: object) => ({ name, typed_config: config })
const route = (prefix: string, perFilter: object = {}, action: object = {}) => ({
  match: { prefix },
  route: { cluster: 'app', ...action },
  typed_per_filter_config: perFilter,
})

/** What each route does, or what is wrong with the file. */
function decode(filters: readonly object[], routes: readonly object[], host: object = {}) {
  const problems = new Problems()
  const manager = {
    '@type': `${types}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'm',
    http_filters: filters,
    route_config: { virtual_hosts: [{ name: 'h', domains: ['*'], routes, ...host }] },
  }
  const listener = {
    name: 'l',
    address: { socket_address: { address: '127.0.0.1', port_value: 80 } },
    filter_chains: [{ filters: [{ name: 'm', typed_config: manager }] }],
  }
  const bootstrap = bootstrapFromJson({ static_resources: { listeners: [listener] } }, problems)
  const message = bootstrap.staticResources?.listeners?.[0] ?? {}
  const { serve } = decodeStaticListener(message, new Set(['app']), 'l', problems)
  const rules = serve.kind === 'http' ? (serve.hosts[0]?.rules ?? []) : []
  return {
    aborts: rules.map(({ policy }) => policy?.fault?.abort?.status),
    limits: rules.map(({ rateLimits = [] }) => rateLimits.map(({ policy }) => policy.bucket.burst)),
    ids: rules.map(({ rateLimits = [] }) => rateLimits.map(({ id }) => id)),
    problems: problems.list,
  }
}

describe('a fault', () => {
  test('of the listener is for all routes, unless a virtual host or a route says otherwise', () => {
    const routes = [route('/own', { f: abort(418) }), route('/none', { f: fault({}) }), route('/')]
    expect(decode([filter('f', abort(503))], routes)).toMatchObject({
      aborts: [418, undefined, 503],
      problems: [],
    })
    const host = { typed_per_filter_config: { f: abort(501) } }
    expect(decode([filter('f', fault({}))], routes, host).aborts).toEqual([418, undefined, 501])
  })
})

describe('a rate limit', () => {
  test('of the listener is one for all routes, unless a virtual host or a route has its own', () => {
    const routes = [route('/own', { r: limit(1) }), route('/a'), route('/b')]
    const { limits, ids, problems } = decode([filter('r', limit(7))], routes)
    expect(problems).toEqual([])
    expect(limits).toEqual([[1], [7], [7]])
    expect(ids[1]).toEqual(ids[2])
    expect(ids[0]).not.toEqual(ids[1])
    const host = { typed_per_filter_config: { r: limit(3) } }
    expect(decode([filter('r', off)], routes, host).limits).toEqual([[1], [3], [3]])
    expect(decode([filter('r', off)], routes).limits).toEqual([[1], [], []])
  })
  test('goes by the key that a route makes', () => {
    const descriptors = [{ entries: [{ key: 'user' }], token_bucket: { max_tokens: 2, fill_interval: '1s' } }]
    const action = (header: string) => ({
      rate_limits: [{ actions: [{ request_headers: { header_name: header, descriptor_key: 'user' } }] }],
    })
    const routes = [route('/a', {}, action('x-a')), route('/b', {}, action('x-b'))]
    const { ids, problems } = decode([filter('r', limit(9, { descriptors }))], routes)
    expect(problems).toEqual([])
    expect(new Set(ids.flat()).size).toBe(2)
  })
})

test.each<[string, readonly object[], readonly object[], string]>([
  [
    'a fault with no final status',
    [filter('f', abort(99))],
    [route('/')],
    'http_filters[0].typed_config.abort.http_status: 99 is no final status',
  ],
  [
    'a fault of a route without a delay',
    [filter('f', fault({}))],
    [route('/', { f: fault({ delay: { percentage: { numerator: 1 } } }) })],
    'routes[0].typed_per_filter_config["envoy.filters.http.fault"].delay.fixed_delay: is missing',
  ],
  [
    'two faults',
    [filter('f', fault({})), filter('g', fault({}))],
    [route('/')],
    'http_filters: holds more than one fault filter',
  ],
  [
    'a limit of half of the requests',
    [filter('r', limit(1, { filter_enforced: { default_value: { numerator: 50 } } }))],
    [route('/')],
    'http_filters[0].typed_config.filter_enforced: must be 100 %',
  ],
  [
    'a limit with another status',
    [filter('r', limit(1, { status: { code: 503 } }))],
    [route('/')],
    'http_filters[0].typed_config.status: must be 429',
  ],
  [
    'a limit of a route without a bucket',
    [filter('r', off)],
    [route('/', { r: limit(0) })],
    'routes[0].typed_per_filter_config["r"].token_bucket.max_tokens: must be at least 1',
  ],
  [
    'what a route says of a filter that is not there',
    [],
    [route('/', { r: limit(1) })],
    'routes[0].typed_per_filter_config["r"]: is of no filter of the listener',
  ],
  [
    'what a route says of a filter in the words of another',
    [filter('r', off)],
    [route('/', { r: abort(503) })],
    'routes[0].typed_per_filter_config["r"]: is of no filter of the listener',
  ],
])('%s is refused by its path, once', (_name, filters, routes, problem) => {
  const found = decode(filters, [...routes, route('/other')]).problems
  expect(found.filter((text) => text.endsWith(problem))).toHaveLength(1)
})
