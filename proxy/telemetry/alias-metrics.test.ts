import { expect, it } from 'vitest'
import { createRegistry } from '../../core/metrics.ts'
import { type MetricAliases, registerAliasMetrics } from './alias-metrics.ts'
import { GoldenStatsTable } from './golden-stats.ts'
import { registerIstioMetrics } from './istio-metrics.ts'
import { MessageSizes } from './message-sizes.ts'
import { TcpStatsTable } from './tcp-stats.ts'

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

it("has Istio's families of bytes and connections", async () => {
  const golden = new GoldenStatsTable(() => 0)
  const tcp = new TcpStatsTable(() => 0)
  const client_id = 'spiffe://cluster.local/ns/shop/sa/web'
  const inbound = { direction: 'inbound', tls: 'true', client_id }
  const stats = golden.for(inbound)
  stats.count(200, 1, 1)
  stats.sizes = new MessageSizes()
  stats.sizes.requests.add(0)
  stats.sizes.replies.add(1_024)
  const connections = tcp.for({ ...inbound, peer: 'dst' })
  const bytes = { toUpstreamBytes: 10, toClientBytes: 300 }
  connections.begin(bytes as never)
  connections.end(bytes as never, true, 5)
  const registry = createRegistry('proxy')
  registerIstioMetrics(registry, { golden, tcp }, own)
  const text = await registry.metrics()
  const target = ['reporter="destination"', 'source_workload="web"', 'destination_workload="catalog"']
  expect(sum(text, 'istio_request_bytes_bucket', ...target, 'le="0.5"')).toEqual([1, 1])
  expect(sum(text, 'istio_response_bytes_bucket', ...target, 'le="1000"')).toEqual([1, 0])
  expect(sum(text, 'istio_response_bytes_sum', ...target, 'request_protocol="http"')).toEqual([1, 1_024])
  expect(sum(text, 'istio_tcp_received_bytes_total', ...target, 'request_protocol="tcp"')).toEqual([1, 10])
  expect(sum(text, 'istio_tcp_sent_bytes_total', ...target)).toEqual([1, 300])
  expect(sum(text, 'istio_tcp_connections_opened_total', ...target)).toEqual([1, 1])
  expect(sum(text, 'istio_tcp_connections_closed_total', ...target)).toEqual([1, 1])
})
