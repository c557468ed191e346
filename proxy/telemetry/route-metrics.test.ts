import { beforeEach, expect, it } from 'vitest'
import { createRegistry, type Registry } from '../../core/metrics.ts'
import { registerRouteMetrics } from './route-metrics.ts'
import { RouteStatsTable } from './route-stats.ts'

const apex = 'catalog.shop:8080'
let nowMs = 0
let table: RouteStatsTable
let registry: Registry
beforeEach(() => {
  nowMs = 0
  table = new RouteStatsTable(() => nowMs)
  registry = createRegistry('proxy')
  registerRouteMetrics(registry, table)
})

/** The value of the one sample of a family that has all of these labels. */
async function sample(family: string, ...labels: readonly string[]): Promise<number> {
  const lines = (await registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith(`${family}{`) && labels.every((label) => line.includes(label)))
  expect(lines).toHaveLength(1)
  return Number(lines[0]?.split(' ').at(-1))
}

const route = ['route_kind="HTTPRoute"', 'route_name="canary"', 'route_namespace="shop"', 'route_rule="0"']
const parent = [
  'parent_group="core"',
  'parent_kind="Service"',
  'parent_name="catalog"',
  'parent_namespace="shop"',
]

it('counts by rule, whatever the backend, and by backend', async () => {
  const rule = table.ofRule(apex, 'httproute/shop/canary/0')
  rule.for('v1.shop:8080').count(200, 30, 1)
  rule.for('v2.shop:8080').count(500, 3, 3)
  rule.for('v1.shop:8080').count(200, 30, 1)
  const statuses = 'outbound_http_route_request_statuses_total'
  expect(await sample(statuses, ...parent, ...route, 'http_status="200"')).toBe(2)
  expect(await sample(statuses, ...route, 'http_status="500"')).toBe(1)
  const duration = 'outbound_http_route_request_duration_seconds'
  expect(await sample(`${duration}_count`, ...parent, ...route)).toBe(3)
  expect(await sample(`${duration}_sum`, ...route)).toBeCloseTo(0.063)
  expect(await sample(`${duration}_bucket`, ...route, 'le="0.005"')).toBe(1)
  const backend = (name: string): string[] => [...route, `backend_name="${name}"`, 'backend_port="8080"']
  const requests = 'outbound_http_route_backend_requests_total'
  expect(await sample(requests, ...backend('v1'))).toBe(2)
  expect(await sample(requests, ...backend('v2'))).toBe(3)
  const ofBackend = 'outbound_http_route_backend_response'
  expect(await sample(`${ofBackend}_statuses_total`, ...backend('v2'), 'http_status="500"')).toBe(1)
  expect(await sample(`${ofBackend}_duration_seconds_count`, ...backend('v1'))).toBe(2)
})

it('counts what went nowhere by its rule alone', async () => {
  table.ofRule(apex, 'service/shop/catalog').for('').count(503, 1, 0)
  const labels = [...parent, 'route_kind="default"', 'http_status="503"']
  expect(await sample('outbound_http_route_request_statuses_total', ...labels)).toBe(1)
  expect(await registry.metrics()).not.toContain('backend_name')
})

it('counts the calls of a GRPCRoute in families of their own', async () => {
  table.ofRule(apex, 'grpcroute/shop/calls/0').for('v1.shop:8080').count(200, 30, 1)
  const calls = ['route_kind="GRPCRoute"', 'route_name="calls"']
  expect(await sample('outbound_grpc_route_request_statuses_total', ...parent, ...calls)).toBe(1)
  expect(await sample('outbound_grpc_route_backend_requests_total', ...calls, 'backend_name="v1"')).toBe(1)
  expect(await registry.metrics()).not.toContain('outbound_http_route_backend_requests_total{')
})

it('goes on counting when the rule is made anew, and drops what is idle for ten minutes', async () => {
  table.ofRule(apex, 'split/shop/s').for('v1.shop:8080').count(200, 1, 1)
  table.ofRule(apex, 'split/shop/s').for('v1.shop:8080').count(200, 1, 1)
  const requests = 'outbound_http_route_backend_requests_total'
  expect(await sample(requests, 'route_kind="TrafficSplit"', 'backend_name="v1"')).toBe(2)
  nowMs = 600_001
  expect(await registry.metrics()).not.toContain(`${requests}{`)
})
