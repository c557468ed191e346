import { expect, it } from 'vitest'
import { createRegistry } from '../../core/metrics.ts'
import { type MetricAliases, registerAliasMetrics } from './alias-metrics.ts'
import { GoldenStatsTable } from './golden-stats.ts'

const own = { namespace: 'shop', pod: 'catalog-0', kind: 'Deployment', name: 'catalog' }

/** Two label sets of one client, which are one under the other names. */
async function shown(aliases: MetricAliases): Promise<string> {
  const table = new GoldenStatsTable(() => 0)
  for (const target_port of ['8080', '8081']) {
    const client_id = 'spiffe://cluster.local/ns/shop/sa/web'
    const stats = table.for({ direction: 'inbound', tls: 'true', target_port, client_id })
    stats.requests = 2
    stats.response(200, 3)
    stats.response(503, 30)
  }
  const registry = createRegistry('proxy')
  registerAliasMetrics(registry, table, own, aliases)
  return registry.metrics()
}

/** Sums the samples that have all of `labels`, and says how many there are. */
function sum(
  text: string,
  family: string,
  ...labels: readonly string[]
): readonly [samples: number, sum: number] {
  const lines = text
    .split('\n')
    .filter((line) => line.startsWith(`${family}{`) && labels.every((label) => line.includes(label)))
  return [lines.length, lines.reduce((total, line) => total + Number(line.split(' ').at(-1)), 0)]
}

it('shows nothing under other names unless asked', async () => {
  expect(await shown('off')).not.toMatch(/osm_|istio_/)
  expect(await shown('osm')).not.toContain('istio_')
})

it("answers Flagger's osm selectors, each sample once", async () => {
  const text = await shown('osm')
  const target = [
    'destination_namespace="shop"',
    'destination_kind="Deployment"',
    'destination_name="catalog"',
  ]
  expect(sum(text, 'osm_request_total', ...target, 'response_code="503"')).toEqual([1, 2])
  expect(sum(text, 'osm_request_total', 'source_namespace="shop"', 'source_name="web"')).toEqual([2, 4])
  expect(sum(text, 'osm_request_duration_ms_bucket', ...target, 'le="10"')).toEqual([1, 2])
})

it("answers Flagger's istio selectors, each sample once", async () => {
  const text = await shown('istio')
  const target = [
    'reporter="destination"',
    'destination_workload_namespace="shop"',
    'destination_workload="catalog"',
  ]
  expect(sum(text, 'istio_requests_total', ...target, 'response_code="200"')).toEqual([1, 2])
  expect(sum(text, 'istio_requests_total', 'connection_security_policy="mutual_tls"')).toEqual([2, 4])
  expect(sum(text, 'istio_request_duration_milliseconds_bucket', ...target, 'le="+Inf"')).toEqual([1, 4])
})
