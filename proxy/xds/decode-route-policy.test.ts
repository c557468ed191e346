import { describe, expect, test } from 'vitest'
import { pack } from '../../api/xds/codec.ts'
import { faultFilter, retryOptions } from '../../api/xds/naming.ts'
import type { HttpFault, RetryOptions, RetryPolicy, Route } from '../../api/xds/types.ts'
import { decodeRoutePolicy } from './decode-route-policy.ts'
import { Problems } from './problems.ts'

function decode(
  action: Partial<NonNullable<Route['route']>>,
  more: { readonly fault?: HttpFault; readonly options?: RetryOptions; readonly ofHost?: RetryPolicy } = {},
) {
  const problems = new Problems()
  const typedPerFilterConfig = {
    ...(more.fault && {
      [faultFilter]: pack('envoy.extensions.filters.http.fault.v3.HTTPFault', more.fault),
    }),
    ...(more.options && { [retryOptions]: pack('weft.route.v1.RetryOptions', more.options) }),
  }
  const route: Route = { match: { prefix: '/' }, route: { cluster: 'app', ...action }, typedPerFilterConfig }
  const policy = decodeRoutePolicy(route, more.ofHost, 'r', problems)
  return { policy, problems: problems.list }
}

test('nothing asked for is no policy', () => {
  expect(decode({})).toEqual({ policy: undefined, problems: [] })
  expect(decode({ retryPolicy: { retryOn: '5xx', numRetries: { value: 0 } } }).policy).toBeUndefined()
})

test('timeouts of the route, of an attempt, and of idleness', () => {
  const { policy } = decode(
    { idleTimeout: { seconds: 5 }, retryPolicy: { perTryTimeout: { nanos: 200_000_000 } } },
    { options: { attemptTimeout: { seconds: 1 } } },
  )
  expect(policy).toMatchObject({
    idleTimeoutMs: 5000,
    attempt: { headMs: 200, endMs: 1000 },
    retries: undefined,
  })
})

describe('retries', () => {
  test('have Envoy’s defaults', () => {
    expect(decode({ retryPolicy: { retryOn: '5xx, reset' } }).policy?.retries).toEqual({
      conditions: ['5xx', 'reset'],
      statusCodes: [],
      methods: undefined,
      limit: 1,
      backoff: { minMs: 0, baseMs: 25, maxMs: 250, retryAfterMaxMs: undefined },
    })
  })
  test('have everything that there is', () => {
    const retryPolicy: RetryPolicy = {
      retryOn: 'retriable-status-codes',
      numRetries: { value: 3 },
      retriableStatusCodes: [429],
      retryBackOff: { baseInterval: { nanos: 10_000_000 } },
      rateLimitedRetryBackOff: { resetHeaders: [{ name: 'retry-after' }], maxInterval: { seconds: 2 } },
    }
    const options: RetryOptions = {
      methods: ['GET'],
      budget: { ratioPercent: 10, minPerSecond: 2, ttl: { seconds: 3 } },
      hedging: { percentile: 95 },
      minBackOff: { nanos: 5_000_000 },
    }
    expect(decode({ retryPolicy }, { options })).toEqual({
      policy: {
        idleTimeoutMs: undefined,
        attempt: { headMs: undefined, endMs: undefined },
        retries: {
          conditions: ['retriable-status-codes'],
          statusCodes: [429],
          methods: ['GET'],
          limit: 3,
          backoff: { minMs: 5, baseMs: 10, maxMs: 100, retryAfterMaxMs: 2000 },
        },
        hedging: { kind: 'percentile', percentile: 95 },
        budget: { ratio: 0.1, minPerSecond: 2, ttlMs: 3000 },
        fault: undefined,
      },
      problems: [],
    })
  })
  test('of the virtual host count where the route has none', () => {
    const ofHost = { retryOn: '5xx' }
    expect(decode({}, { ofHost }).policy?.retries?.conditions).toEqual(['5xx'])
    expect(decode({ retryPolicy: { retryOn: 'reset' } }, { ofHost }).policy?.retries?.conditions).toEqual([
      'reset',
    ])
  })
  test('that cannot be honoured are refused, each with its path', () => {
    const retryPolicy: RetryPolicy = {
      retryOn: '5xx,envoy-ratelimited',
      numRetries: { value: 101 },
      retriableHeaders: [{ name: 'x' }],
      retriableRequestHeaders: [{ name: 'x' }],
      retryBackOff: { baseInterval: { seconds: 2 }, maxInterval: { seconds: 1 } },
      rateLimitedRetryBackOff: { resetHeaders: [{ name: 'X-RateLimit-Reset', format: 'UNIX_TIMESTAMP' }] },
    }
    const options = { budget: { ratioPercent: 101, minPerSecond: -1 }, hedging: { percentile: 100 } }
    const action = { retryPolicy, hedgePolicy: { hedgeOnPerTryTimeout: true } }
    const paths = decode(action, { options }).problems.map((problem) => problem.split(': ')[0] as string)
    expect(paths.toSorted()).toEqual(
      [
        'r.route.hedge_policy',
        'r.route.retry_policy.retriable_headers',
        'r.route.retry_policy.retriable_request_headers',
        'r.route.retry_policy.num_retries',
        'r.route.retry_policy.retry_on',
        'r.route.retry_policy.rate_limited_retry_back_off.reset_headers[0]',
        'r.route.retry_policy.retry_back_off.max_interval',
        'r.typed_per_filter_config["weft.dev/retry"].hedging',
        'r.typed_per_filter_config["weft.dev/retry"].budget.ratio_percent',
        'r.typed_per_filter_config["weft.dev/retry"].budget.min_per_second',
      ].toSorted(),
    )
  })
})

describe('a fault', () => {
  test('has its percentages', () => {
    const fault: HttpFault = {
      delay: {
        fixedDelay: { nanos: 100_000_000 },
        percentage: { numerator: 125_000, denominator: 'MILLION' },
      },
      abort: { httpStatus: 503, percentage: { numerator: 50 } },
      headers: [{ name: 'X-Chaos', stringMatch: { exact: 'yes' } }],
    }
    expect(decode({}, { fault }).policy?.fault).toEqual({
      delay: { delayMs: 100, percent: 12.5 },
      abort: { status: 503, percent: 50 },
      headers: [{ name: 'x-chaos', match: { kind: 'exact', value: 'yes' }, invert: false }],
    })
  })
  test('may be a status of gRPC, which HTTP is told as Envoy does', () => {
    const fault: HttpFault = { abort: { grpcStatus: 14, percentage: { numerator: 50 } } }
    expect(decode({}, { fault }).policy?.fault?.abort).toEqual({ status: 503, grpcStatus: 14, percent: 50 })
  })
  test('that cannot be honoured is refused', () => {
    const fault: HttpFault = {
      delay: { percentage: { numerator: 1 } },
      abort: { grpcStatus: 17 },
      maxActiveFaults: { value: 1 },
    }
    const path = `r.typed_per_filter_config["${faultFilter}"]`
    expect(decode({}, { fault }).problems).toEqual([
      `${path}.max_active_faults: is not supported`,
      `${path}.delay.fixed_delay: is missing`,
      `${path}.abort.grpc_status: 17 is no status of gRPC`,
    ])
    expect(decode({}, { fault: { abort: { httpStatus: 100 } } }).problems).toEqual([
      `${path}.abort.http_status: 100 is no final status`,
    ])
  })
})
