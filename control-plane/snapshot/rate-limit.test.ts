import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { unpackAs } from '../../api/xds/codec.ts'
import { MeshModel } from '../model/mesh-model.ts'
import type { Change } from '../model/objects.ts'
import { policy, service, slice, workload } from '../model/test-objects.ts'
import type { RateLimitSettings } from '../model/traffic-settings.ts'
import { inboundLimits, limitFilter } from './rate-limit.ts'

const total = { kind: 'total' } as const
const limitOf = (requestsPerSecond: number): RateLimitSettings => ({
  requestsPerSecond,
  burst: 1,
  per: total,
})

describe('the limits of a workload', () => {
  const endpoints = [{ address: '10.0.0.1', workload: 'shop/catalog' }]
  function limits(listenPort: number, ...changes: readonly Change[]): readonly number[] {
    const model = new MeshModel()
    model.apply([workload('catalog'), ...changes])
    return inboundLimits(model, model.servedBy('shop/catalog'), listenPort).map(
      ({ requestsPerSecond }) => requestsPerSecond,
    )
  }

  test('are those of every Service that leads to its port', () => {
    const changes = [
      ...['catalog', 'catalog-v1', 'unlimited', 'elsewhere'].map((name) => service(name)),
      ...['catalog', 'catalog-v1', 'unlimited'].map((name) => slice(name, endpoints)),
      slice('elsewhere', [{ address: '10.0.0.2', workload: 'shop/other' }]),
      policy('a', 'catalog', { rateLimit: limitOf(1) }),
      policy('b', 'catalog-v1', { rateLimit: limitOf(2) }),
      policy('c', 'elsewhere', { rateLimit: limitOf(3) }),
    ]
    expect(limits(9090, ...changes).toSorted((a, b) => a - b)).toEqual([1, 2])
    expect(limits(9091, ...changes)).toEqual([])
  })
  test('are said once, however many Services have the same', () => {
    const same = ['catalog', 'catalog-v1'].flatMap((name) => [
      service(name),
      slice(name, endpoints),
      policy(name, name, { rateLimit: limitOf(1) }),
    ])
    expect(limits(9090, ...same)).toEqual([1])
  })
})

test('any rate is whole tokens at intervals that Envoy accepts', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 1_000_000, noNaN: true }), (requestsPerSecond) => {
      const filter = limitFilter({ requestsPerSecond, burst: 5, per: total }, 0)
      const name = 'envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit'
      const bucket = unpackAs(name, filter.typedConfig)?.tokenBucket
      const fillSeconds = (bucket?.fillInterval?.seconds ?? 0) + (bucket?.fillInterval?.nanos ?? 0) / 1e9
      const tokens = bucket?.tokensPerFill?.value ?? 0
      expect(bucket?.maxTokens).toBe(5)
      expect(Number.isInteger(tokens) && tokens >= 1).toBe(true)
      expect(fillSeconds).toBeGreaterThanOrEqual(0.05 - 1e-9)
      expect(tokens / fillSeconds / requestsPerSecond).toBeCloseTo(1, 6)
    }),
  )
})
