import { describe, expect, test } from 'vitest'
import { ruleTraffic } from './rule-traffic.ts'
import { defaultRetries, noTrafficSettings, type TrafficSettings } from './traffic-settings.ts'

const policy: TrafficSettings = {
  ...noTrafficSettings,
  timeouts: { requestMs: 1000, responseMs: 400, perTryMs: undefined, idleMs: 5000 },
  retries: { ...defaultRetries, conditions: ['5xx'], methods: ['GET'], limit: 3, perTryTimeoutMs: 300 },
}

test('a rule that says nothing has what its Service has', () => {
  expect(ruleTraffic({ timeoutMs: undefined }, policy)).toBe(policy)
})

test("what a route's annotations say stands between its rules and its Service", () => {
  const retries = { ...defaultRetries, conditions: ['unavailable'] as const, limit: 2 }
  const traffic = { ...noTrafficSettings, retries }
  expect(ruleTraffic({ timeoutMs: undefined, traffic }, policy)).toEqual({ ...policy, retries })
  expect(ruleTraffic({ timeoutMs: 50, traffic }, policy)).toMatchObject({
    timeouts: { requestMs: 50 },
    retries: { conditions: ['unavailable'], limit: 2 },
  })
})

describe('timeouts', () => {
  test('of a rule beat those of its Service, one by one', () => {
    expect(ruleTraffic({ timeoutMs: 50 }, policy).timeouts).toEqual({
      requestMs: 50,
      responseMs: 400,
      perTryMs: 300,
      idleMs: 5000,
    })
    expect(ruleTraffic({ timeoutMs: undefined, attemptTimeoutMs: 20 }, policy)).toMatchObject({
      timeouts: { requestMs: 1000, perTryMs: 20 },
      retries: { perTryTimeoutMs: undefined },
    })
  })
  test('of zero are none', () => {
    expect(ruleTraffic({ timeoutMs: 0, attemptTimeoutMs: 0 }, policy)).toMatchObject({
      timeouts: { requestMs: undefined, perTryMs: undefined },
      retries: { perTryTimeoutMs: undefined },
    })
  })
})

describe('retries of a rule', () => {
  const retries = (retry: NonNullable<Parameters<typeof ruleTraffic>[0]['retry']>) =>
    ruleTraffic({ timeoutMs: undefined, retry }, policy).retries

  test('are of its statuses, and of whatever brought no reply, for every method', () => {
    expect(retries({ statusCodes: [500, 503], limit: 2, backoffMs: undefined })).toMatchObject({
      conditions: ['reset', 'connect-failure'],
      statusCodes: [500, 503],
      methods: undefined,
      limit: 2,
      backoff: { baseMs: 25 },
      budget: defaultRetries.budget,
    })
  })
  test('without statuses are of those that a gateway answers with', () => {
    expect(retries({ statusCodes: [], limit: undefined, backoffMs: undefined })).toMatchObject({
      conditions: ['gateway-error'],
      limit: 3,
    })
  })
  test('keep their attempts apart', () => {
    expect(retries({ statusCodes: [], limit: 1, backoffMs: 100 })?.backoff).toMatchObject({
      minMs: 100,
      baseMs: 100,
      maxMs: 1000,
    })
  })
})
