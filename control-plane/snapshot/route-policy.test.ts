import { describe, expect, test } from 'vitest'
import { unpackAs } from '../../api/xds/codec.ts'
import { faultFilter, retryOptions } from '../../api/xds/naming.ts'
import {
  defaultRetries,
  noTrafficSettings,
  type RetrySettings,
  type TimeoutSettings,
  type TrafficSettings,
} from '../model/traffic-settings.ts'
import type { ClientKind } from './client-kind.ts'
import { routePolicy } from './route-policy.ts'

const noTimeouts: TimeoutSettings = {
  requestMs: undefined,
  responseMs: undefined,
  perTryMs: undefined,
  idleMs: undefined,
}
const policy = (traffic: Partial<TrafficSettings>, kind: ClientKind = 'sidecar') =>
  routePolicy({ ...noTrafficSettings, ...traffic }, kind)
const retrying = (retries: Partial<RetrySettings>): Pick<TrafficSettings, 'retries'> => ({
  retries: { ...defaultRetries, conditions: ['5xx'], ...retries },
})
const optionsOf = (traffic: Partial<TrafficSettings>) =>
  unpackAs('weft.route.v1.RetryOptions', policy(traffic).perFilter?.[retryOptions])

test('nothing asked for is nothing sent, but that there is no timeout', () => {
  expect(policy({})).toEqual({ action: { timeout: {} } })
})

describe('timeouts', () => {
  const timeouts = { requestMs: 1500, responseMs: 700, perTryMs: 200, idleMs: 60_000 }
  test('are fields of the action, and of ours where Envoy has none', () => {
    expect(policy({ timeouts }).action).toEqual({
      timeout: { seconds: 1, nanos: 500_000_000 },
      idleTimeout: { seconds: 60 },
      retryPolicy: { numRetries: { value: 0 }, perTryTimeout: { nanos: 200_000_000 } },
    })
    expect(optionsOf({ timeouts })).toEqual({ attemptTimeout: { nanos: 700_000_000 } })
  })
  test('for stock gRPC clients are what they understand', () => {
    expect(policy({ timeouts }, 'grpc')).toEqual({
      action: {
        timeout: { seconds: 1, nanos: 500_000_000 },
        maxStreamDuration: { maxStreamDuration: { seconds: 1, nanos: 500_000_000 } },
      },
    })
  })
  test('for Envoy have nothing of ours', () => {
    expect(policy({ timeouts }, 'envoy').perFilter).toBeUndefined()
  })
})

describe('retries', () => {
  test('are a retry policy, and of ours what Envoy has no words for', () => {
    const traffic = retrying({
      conditions: ['gateway-error', 'reset'],
      statusCodes: [429],
      methods: ['GET', 'PUT'],
      limit: 3,
      perTryTimeoutMs: 250,
      backoff: { minMs: 5, baseMs: 10, maxMs: 100, retryAfterMaxMs: 2000 },
      hedging: { kind: 'delay', delayMs: 40 },
    })
    expect(policy(traffic).action.retryPolicy).toEqual({
      retryOn: 'gateway-error,reset,retriable-status-codes',
      numRetries: { value: 3 },
      retriableStatusCodes: [429],
      perTryTimeout: { nanos: 250_000_000 },
      retryBackOff: { baseInterval: { nanos: 10_000_000 }, maxInterval: { nanos: 100_000_000 } },
      rateLimitedRetryBackOff: {
        resetHeaders: [{ name: 'Retry-After' }],
        maxInterval: { seconds: 2 },
      },
    })
    expect(optionsOf(traffic)).toEqual({
      methods: ['GET', 'PUT'],
      budget: { ratioPercent: 20, minPerSecond: 10, ttl: { seconds: 10 } },
      hedging: { delay: { nanos: 40_000_000 } },
      minBackOff: { nanos: 5_000_000 },
    })
    expect(optionsOf(retrying({ hedging: { kind: 'percentile', percentile: 95 } }))?.hedging).toEqual({
      percentile: 95,
    })
  })
  test('for Envoy name methods as a header of the request', () => {
    const { action, perFilter } = policy(retrying({ methods: ['GET', 'PUT'] }), 'envoy')
    expect(action.retryPolicy?.retriableRequestHeaders).toEqual([
      { name: ':method', stringMatch: { safeRegex: { regex: 'GET|PUT' } } },
    ])
    expect(perFilter).toBeUndefined()
  })
  test('for stock gRPC clients have only words that they know, and waits below a second', () => {
    expect(
      policy(retrying({ conditions: ['5xx', 'unavailable'], statusCodes: [503] }), 'grpc').action,
    ).toEqual({
      timeout: {},
      retryPolicy: {
        retryOn: 'unavailable',
        numRetries: { value: 1 },
        retryBackOff: { baseInterval: { nanos: 25_000_000 }, maxInterval: { nanos: 250_000_000 } },
      },
    })
    const slow = retrying({
      conditions: ['unavailable'],
      backoff: { minMs: 0, baseMs: 500, maxMs: 5000, retryAfterMaxMs: undefined },
    })
    expect(policy(slow, 'grpc').action.retryPolicy?.retryBackOff).toBeUndefined()
    // It refuses a policy without retries.
    expect(policy(retrying({ limit: 0 }), 'grpc').action.retryPolicy).toBeUndefined()
  })
  test('that name nothing to retry are none', () => {
    expect(policy(retrying({ conditions: [] })).action.retryPolicy).toBeUndefined()
    expect(
      policy({ ...retrying({ conditions: [] }), timeouts: { ...noTimeouts, perTryMs: 100 } }),
    ).toMatchObject({
      action: { retryPolicy: { numRetries: { value: 0 } } },
    })
  })
})

test('a fault is a setting of its filter, for the route', () => {
  const fault = {
    delay: { delayMs: 100, percent: 12.5 },
    abort: { status: 503, percent: 0.01 },
    headers: [
      { name: 'x-a', value: '1', regex: false },
      { name: 'x-b', value: '.+', regex: true },
    ],
  }
  for (const kind of ['sidecar', 'envoy', 'grpc'] as const)
    expect(
      unpackAs(
        'envoy.extensions.filters.http.fault.v3.HTTPFault',
        policy({ fault }, kind).perFilter?.[faultFilter],
      ),
    ).toEqual({
      delay: {
        fixedDelay: { nanos: 100_000_000 },
        percentage: { numerator: 125_000, denominator: 'MILLION' },
      },
      abort: { httpStatus: 503, percentage: { numerator: 100, denominator: 'MILLION' } },
      headers: [
        { name: 'x-a', stringMatch: { exact: '1' } },
        { name: 'x-b', stringMatch: { safeRegex: { regex: '.+' } } },
      ],
    })
})

test('a fault of gRPC has its number', () => {
  const fault = { delay: undefined, abort: { grpcStatus: 'UNAVAILABLE', percent: 100 }, headers: [] } as const
  const filter = policy({ fault }, 'sidecar').perFilter?.[faultFilter]
  expect(unpackAs('envoy.extensions.filters.http.fault.v3.HTTPFault', filter)?.abort?.grpcStatus).toBe(14)
})
