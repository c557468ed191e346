import { beforeEach, describe, expect, it } from 'vitest'
import { createRegistry, type Registry } from '../../core/metrics.ts'
import { registerGoldenMetrics } from './golden-metrics.ts'
import { GoldenStatsTable, replyKey } from './golden-stats.ts'

let table: GoldenStatsTable
let registry: Registry
let nowMs = 0
beforeEach(() => {
  table = new GoldenStatsTable(() => nowMs)
  registry = createRegistry('proxy', { namespace: 'shop', pod: 'web-0', deployment: 'web' })
  registerGoldenMetrics(registry, table)
})

const inbound = { direction: 'inbound', tls: 'true', client_id: 'spiffe://t/ns/shop/sa/web' }

function count(
  labels: Readonly<Record<string, string>>,
  replies: readonly (readonly [number, number])[],
): void {
  const stats = table.for(labels)
  for (const [status, latencyMs] of replies) {
    stats.requests++
    stats.response(status, latencyMs)
  }
}

/** The samples of a family: their labels as they are written, and their values. */
async function samples(family: string): Promise<readonly (readonly [labels: string, value: number])[]> {
  const text = await registry.metrics()
  return [...text.matchAll(new RegExp(`^${family}\\{(.*)\\} (\\S+)$`, 'gm'))].map(
    ([, labels = '', value]) => [labels, Number(value)] as const,
  )
}
/** Sums what a PromQL selector of these labels would, each as `name="value"`. */
async function sum(family: string, ...labels: readonly string[]): Promise<number> {
  const chosen = (await samples(family)).filter(([text]) => labels.every((label) => text.includes(label)))
  expect(chosen.length).toBeGreaterThan(0)
  return chosen.reduce((total, [, value]) => total + value, 0)
}

describe("the golden metrics have Linkerd's names and labels", () => {
  it('requests and replies, by status and classification', async () => {
    count(inbound, [
      [200, 3],
      [404, 3],
      [503, 3],
      [503, 3],
    ])
    expect(await sum('request_total', 'direction="inbound"', 'tls="true"')).toBe(4)
    expect(await sum('response_total', 'status_code="404"', 'classification="success"')).toBe(1)
    expect(await sum('response_total', 'classification="failure"')).toBe(2)
    expect(await sum('response_total', 'client_id="spiffe://t/ns/shop/sa/web"')).toBe(4)
  })

  it('latency as a cumulative histogram in milliseconds, without a classification', async () => {
    count(inbound, [
      [200, 0.5],
      [200, 3.5],
      [500, 45],
      [200, 60_000],
    ])
    const buckets = await samples('response_latency_ms_bucket')
    const at = (bound: string): number | undefined =>
      buckets.find(([labels]) => labels.includes(`le="${bound}"`))?.[1]
    expect(['1', '3', '4', '50', '50000', '+Inf'].map(at)).toEqual([1, 1, 2, 3, 3, 4])
    expect(buckets.map(([, value]) => value)).toEqual(
      buckets.map(([, value]) => value).toSorted((a, b) => a - b),
    )
    expect(await sum('response_latency_ms_count')).toBe(4)
    expect(await sum('response_latency_ms_sum')).toBe(60_049)
    expect(buckets[0]?.[0]).not.toContain('classification')
  })

  it('with the workload on every sample, so that queries need no relabelling', async () => {
    count(inbound, [[200, 1]])
    for (const family of ['request_total', 'response_total', 'response_latency_ms_bucket'])
      for (const [labels] of await samples(family))
        for (const label of ['namespace="shop"', 'pod="web-0"', 'deployment="web"'])
          expect(labels).toContain(label)
  })

  it('with their types and what they mean', async () => {
    const text = await registry.metrics()
    for (const [family, type] of [
      ['request_total', 'counter'],
      ['response_total', 'counter'],
      ['response_latency_ms', 'histogram'],
      ['request_retries_total', 'counter'],
    ])
      expect(text).toMatch(new RegExp(`^# HELP ${family} .+\\n# TYPE ${family} ${type}$`, 'm'))
  })
})

describe('label sets', () => {
  it('are one whatever the order of their labels, and show nothing before they count', async () => {
    expect(table.for({ a: '1', b: '2' })).toBe(table.for({ b: '2', a: '1' }))
    expect(await samples('request_total')).toEqual([])
  })

  it('are bounded: what is beyond shares one, and nothing is lost', async () => {
    for (let i = 0; i < 2_100; i++) count({ direction: 'inbound', client_id: `c${i}` }, [[200, 1]])
    expect((await samples('request_total')).length).toBeLessThanOrEqual(2_001)
    expect(await sum('request_total')).toBe(2_100)
    expect(await sum('request_total', 'overflow="true"')).toBe(100)
  })
})

describe('a gRPC call', () => {
  it('is classified by its own status, which is a label', async () => {
    count(inbound, [
      [replyKey(200, 0), 1],
      [replyKey(200, 5), 1],
      [replyKey(200, 14), 1],
    ])
    expect(await sum('response_total', 'classification="failure"')).toBe(1)
    expect(await sum('response_total', 'grpc_status_code="14"', 'status_code="200"')).toBe(1)
    expect(await sum('response_total', 'classification="success"', 'grpc_status_code="5"')).toBe(1)
  })
})
