import { describe, expect, test } from 'vitest'
import {
  judgeConvergence,
  judgeFailing,
  judgeInterruption,
  judgeMtls,
  judgeOutage,
  judgePolicy,
  judgeReturn,
  judgeSplit,
  judgeTrace,
  percentile,
} from './claims.ts'

const goodMtls = {
  hops: [{ to: 'web', clients: ['spiffe://t/ns/shop/sa/client'], requests: 9, inClear: 0 }],
  expected: [{ to: 'web', client: 'spiffe://t/ns/shop/sa/client' }],
  relayedBytes: 10,
  clearTextSeen: false,
}

describe('each claim holds on a good observation and fails on a bad one', () => {
  test('a split within two points holds, beyond it fails, and too few requests fail', () => {
    expect(judgeSplit({ configured: 10, observed: 11.9, requests: 5000 })).toBeUndefined()
    expect(judgeSplit({ configured: 10, observed: 12.1, requests: 5000 })).toContain('12.1 %')
    expect(judgeSplit({ configured: 10, observed: 10, requests: 4999 })).toContain('4999')
  })
  test('convergence fails above 250 ms and with too few writes', () => {
    expect(judgeConvergence({ p50: 20, p99: 250, writes: 20 })).toBeUndefined()
    expect(judgeConvergence({ p50: 20, p99: 251, writes: 20 })).toContain('251')
    expect(judgeConvergence({ p50: 20, p99: 20, writes: 19 })).toContain('19')
  })
  test('mTLS fails on a hop in clear, a missing client, an unused relay and clear text', () => {
    expect(judgeMtls(goodMtls)).toBeUndefined()
    expect(judgeMtls({ ...goodMtls, hops: [{ to: 'web', clients: [], requests: 9, inClear: 1 }] })).toContain(
      'without mTLS',
    )
    expect(judgeMtls({ ...goodMtls, hops: [{ to: 'web', clients: [], requests: 0, inClear: 0 }] })).toContain(
      'never saw',
    )
    expect(judgeMtls({ ...goodMtls, relayedBytes: 0 })).toContain('nothing passed')
    expect(judgeMtls({ ...goodMtls, clearTextSeen: true })).toContain('in clear')
  })
  test('a policy fails where something passes that it denies, is not counted, or is met by nothing', () => {
    const good = { statuses: [403, 403], denied: 2, audited: 9 }
    expect(judgePolicy(good)).toBeUndefined()
    expect(judgePolicy({ ...good, statuses: [403, 200] })).toContain('answered 200')
    expect(judgePolicy({ ...good, denied: 1 })).toContain('1 denied')
    expect(judgePolicy({ ...good, audited: 0 })).toContain('met nothing')
  })
  test('an outage fails on one failed request, and when nothing was tried', () => {
    expect(judgeOutage({ requests: 10, failed: 0 })).toBeUndefined()
    expect(judgeOutage({ requests: 10, failed: 1 })).toContain('1 of 10')
    expect(judgeOutage({ requests: 0, failed: 0 })).toContain('no request')
  })
  test('an interruption without a loss has to be one', () => {
    expect(judgeInterruption({ requests: 9, failed: 0, interrupted: true })).toBeUndefined()
    expect(judgeInterruption({ requests: 9, failed: 0, interrupted: false })).toContain(
      'nothing was interrupted',
    )
    expect(judgeInterruption({ requests: 9, failed: 1, interrupted: true })).toContain('1 of 9')
  })
  test('an endpoint that comes back has to be used again, at no loss', () => {
    const good = { served: 1, failed: 0, inUse: true }
    expect(judgeReturn(good)).toBeUndefined()
    expect(judgeReturn({ ...good, served: 0 })).toContain('gets no request')
    expect(judgeReturn({ ...good, inUse: false })).toContain('left out')
    expect(judgeReturn({ ...good, failed: 2 })).toContain('2 requests failed')
  })
  test('a failing backend may take its own share down, and nothing else', () => {
    const good = { configured: 10, failedShare: 11, failedElsewhere: 0, failedAfter: 0 }
    expect(judgeFailing(good)).toBeUndefined()
    expect(judgeFailing({ ...good, failedShare: 13.1 })).toContain('13.1 %')
    expect(judgeFailing({ ...good, failedShare: 0 })).toContain('0 %')
    expect(judgeFailing({ ...good, failedElsewhere: 1 })).toContain('elsewhere')
    expect(judgeFailing({ ...good, failedAfter: 1 })).toContain('well again')
  })
  test('a trace fails when one application saw another id, or one was never reached', () => {
    const expected = ['web', 'catalog-v1', 'inventory']
    const seen = expected.map((app) => ({ app, trace: 'a' }))
    expect(judgeTrace({ sent: 'a', seen, expected })).toBeUndefined()
    expect(judgeTrace({ sent: 'b', seen, expected })).toContain('web saw')
    expect(judgeTrace({ sent: 'a', seen: seen.slice(1), expected })).toContain('never seen by web')
    expect(judgeTrace({ sent: 'a', seen: [...seen, { app: 'inventory', trace: '' }], expected })).toContain(
      'inventory saw',
    )
  })
})

test('percentiles are nearest ranks', () => {
  expect(percentile([3, 1, 2], 0.5)).toBe(2)
  expect(percentile([3, 1, 2], 0.99)).toBe(3)
  expect(percentile([], 0.5)).toBe(0)
})
