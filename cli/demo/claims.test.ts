import { describe, expect, test } from 'vitest'
import { judgeConvergence, judgeMtls, judgeOutage, judgeSplit, judgeTrace, percentile } from './claims.ts'

const goodMtls = {
  hops: [{ to: 'web', clients: ['spiffe://t/ns/shop/sa/client'], inClear: 0 }],
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
    expect(judgeMtls({ ...goodMtls, hops: [{ to: 'web', clients: [], inClear: 1 }] })).toContain(
      'without mTLS',
    )
    expect(judgeMtls({ ...goodMtls, hops: [{ to: 'web', clients: [], inClear: 0 }] })).toContain('never saw')
    expect(judgeMtls({ ...goodMtls, relayedBytes: 0 })).toContain('nothing passed')
    expect(judgeMtls({ ...goodMtls, clearTextSeen: true })).toContain('in clear')
  })
  test('an outage fails on one failed request, and when nothing was tried', () => {
    expect(judgeOutage('x', { requests: 10, failed: 0 })).toBeUndefined()
    expect(judgeOutage('x', { requests: 10, failed: 1 })).toContain('1 of 10')
    expect(judgeOutage('x', { requests: 0, failed: 0 })).toContain('no request')
  })
  test('a trace fails when one application saw another id, or the chain was short', () => {
    const seen = ['web', 'catalog-v1', 'inventory'].map((app) => ({ app, trace: 'a' }))
    expect(judgeTrace('a', seen)).toBeUndefined()
    expect(judgeTrace('b', seen)).toContain('web saw')
    expect(judgeTrace('a', seen.slice(1))).toContain('only 2')
  })
})

test('percentiles are nearest ranks', () => {
  expect(percentile([3, 1, 2], 0.5)).toBe(2)
  expect(percentile([3, 1, 2], 0.99)).toBe(3)
  expect(percentile([], 0.5)).toBe(0)
})
