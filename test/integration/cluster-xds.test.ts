/** Every cluster setting of a TrafficPolicy arrives in the sidecar as it was written: YAML, model, Cluster, sidecar. */
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { decode, encode } from '../../api/xds/codec.ts'
import { MeshModel } from '../../control-plane/model/mesh-model.ts'
import { parseFile } from '../../control-plane/providers/directory/parse-file.ts'
import { buildCluster, buildEndpoints } from '../../control-plane/snapshot/clusters.ts'
import type { ClientKind } from '../../control-plane/snapshot/client-kind.ts'
import { destinationOf } from '../../control-plane/snapshot/destination.ts'
import { decodeCluster, decodeEndpoints } from '../../proxy/xds/decode-cluster.ts'
import { Problems } from '../../proxy/xds/problems.ts'

const name = 'app.shop.svc.cluster.local:8080'
const service =
  'apiVersion: v1\nkind: Service\nmetadata: {name: app, namespace: shop}\nspec: {ports: [{name: http, port: 8080}]}\n'
const slice =
  'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: app, namespace: shop, labels: {kubernetes.io/service-name: app}}\nports: [{name: http, port: 80}]\nendpoints: [{addresses: [10.0.0.1, 10.0.0.2], zone: a, hints: {forZones: [{name: a}, {name: b}]}}]\n'

function build(spec: object, kind: ClientKind = 'sidecar') {
  const policy = {
    apiVersion: 'weft.dev/v1alpha1',
    kind: 'TrafficPolicy',
    metadata: { name: 'p', namespace: 'shop' },
    spec: { targetRefs: [{ kind: 'Service', name: 'app' }], ...spec },
  }
  const { objects, problems } = parseFile('m.yaml', [service, slice, stringify(policy)].join('---\n'))
  expect(problems).toEqual([])
  const model = new MeshModel()
  model.apply(objects.flatMap(({ change }) => change ?? []))
  const destination = destinationOf(model, name)
  const cluster = buildCluster(model, name, destination, kind, 'cluster.local')
  const assignment = buildEndpoints(model, name, destination, kind, 'cluster.local')
  return { cluster, assignment }
}

function arrives(spec: object) {
  const { cluster, assignment } = build(spec)
  const problems = new Problems()
  const type = 'envoy.config.cluster.v3.Cluster'
  const { config } = decodeCluster(decode(type, encode(type, cluster)), problems)
  const loads = 'envoy.config.endpoint.v3.ClusterLoadAssignment'
  const endpoints = decodeEndpoints(decode(loads, encode(loads, assignment)), problems)
  expect(problems.list).toEqual([])
  return { ...config, endpoints }
}

test('without a policy: peak EWMA, hints, no limits, nobody left out', () => {
  const { balancing, limits, outlierDetection, endpoints } = arrives({})
  expect(balancing).toEqual({
    algorithm: { kind: 'peak-ewma', decayMs: 10_000, defaultLatencyMs: 30 },
    slowStart: undefined,
    zonePreference: 'hints',
  })
  expect(limits).toBeUndefined()
  expect(outlierDetection).toBeUndefined()
  expect(endpoints).toMatchObject([
    { address: '10.0.0.1', otherAddresses: ['10.0.0.2'], zone: 'a', forZones: ['a', 'b'] },
  ])
})

test.each([
  [
    { type: 'PeakEWMA', peakEwma: { decay: '5s', defaultLatency: '2ms' } },
    { kind: 'peak-ewma', decayMs: 5_000, defaultLatencyMs: 2 },
  ],
  [
    { type: 'LeastRequest', leastRequest: { choices: 5 } },
    { kind: 'least-request', choices: 5 },
  ],
  [{ type: 'RoundRobin' }, { kind: 'round-robin' }],
  [{ type: 'Random' }, { kind: 'random' }],
  [
    { type: 'RingHash', ringHash: { minimumRingSize: 64, maximumRingSize: 128 }, hash: [{ sourceIp: true }] },
    { kind: 'ring-hash', minRingSize: 64, maxRingSize: 128 },
  ],
  [
    { type: 'Maglev', maglev: { tableSize: 251 }, hash: [{ sourceIp: true }] },
    { kind: 'maglev', tableSize: 251 },
  ],
])('balancer %j', (balancer, algorithm) => {
  expect(arrives({ balancer }).balancing.algorithm).toEqual(algorithm)
})

test.each(['PeakEWMA', 'LeastRequest', 'RoundRobin'])('slow start and zone preference of %s', (type) => {
  const slowStart = { window: '90s', minWeightPercent: 5, aggression: 1.5 }
  expect(arrives({ balancer: { type, slowStart, zonePreference: 'SameZone' } }).balancing).toMatchObject({
    slowStart: { windowMs: 90_000, minWeightPercent: 5, aggression: 1.5 },
    zonePreference: 'same-zone',
  })
  expect(arrives({ balancer: { type, zonePreference: 'Disabled' } }).endpoints[0]?.forZones).toEqual([])
})

test('connection pool', () => {
  const connectionPool = {
    maxConnections: 1,
    maxPending: 0,
    maxRequests: 3,
    maxRetries: 0,
    queueTimeout: '250ms',
  }
  expect(arrives({ connectionPool }).limits).toEqual({
    maxConnections: 1,
    maxPending: 0,
    maxRequests: 3,
    maxRetries: 0,
    retryBudget: undefined,
    queueTimeoutMs: 250,
  })
})

test('outlier detection', () => {
  const common = {
    interval: '1s',
    baseEjection: '2s',
    maxEjection: '1m',
    ejectionJitter: '50ms',
    maxEjectionPercent: 40,
  }
  const counted = {
    consecutiveFailures: 7,
    consecutiveGatewayFailures: 3,
    consecutiveLocalFailures: 2,
    panicPercent: 0,
  }
  expect(arrives({ outlierDetection: { ...common, ...counted } }).outlierDetection).toEqual({
    consecutiveFailures: { count: 7, enforcingPercent: 100 },
    consecutiveGatewayFailures: { count: 3, enforcingPercent: 100 },
    consecutiveLocalFailures: { count: 2, enforcingPercent: 100 },
    successRate: undefined,
    failurePercentage: undefined,
    intervalMs: 1_000,
    baseEjectionMs: 2_000,
    maxEjectionMs: 60_000,
    ejectionJitterMs: 50,
    maxEjectionPercent: 40,
    alwaysEjectOne: true,
    panicPercent: 0,
  })
  const off = { consecutiveFailures: 0, successRate: { stdevFactor: 1.5, minRequests: 7, minEndpoints: 2 } }
  expect(arrives({ outlierDetection: off }).outlierDetection).toMatchObject({
    consecutiveFailures: undefined,
    successRate: { stdevFactor: 1.5, minRequests: 7, minEndpoints: 2, enforcingPercent: 100 },
    failurePercentage: undefined,
    panicPercent: 50,
  })
  const limit = { successRate: { thresholdPercent: 80, minRequests: 7, minEndpoints: 2 } }
  expect(arrives({ outlierDetection: limit }).outlierDetection).toMatchObject({
    consecutiveFailures: { count: 5 },
    successRate: undefined,
    failurePercentage: { thresholdPercent: 20, minRequests: 7, minEndpoints: 2, enforcingPercent: 100 },
  })
})

test('Envoy is sent least request for peak EWMA, which it does not have', () => {
  const url = (kind: ClientKind) =>
    build({}, kind).cluster.loadBalancingPolicy?.policies?.map(
      ({ typedExtensionConfig }) => typedExtensionConfig?.typedConfig?.typeUrl,
    )
  expect(url('envoy')).toEqual([
    'type.googleapis.com/envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest',
  ])
  expect(url('sidecar')).toEqual(['type.googleapis.com/weft.load_balancing.v1.PeakEwma'])
})

test('a gRPC client is sent what it knows: round robin or a ring', () => {
  expect(build({}, 'grpc').cluster).toMatchObject({ lbPolicy: 'ROUND_ROBIN' })
  const ring = build({ balancer: { type: 'RingHash', hash: [{ header: 'x' }] } }, 'grpc').cluster
  expect(ring).toMatchObject({
    lbPolicy: 'RING_HASH',
    ringHashLbConfig: { minimumRingSize: { value: 1024 } },
  })
  expect(ring.loadBalancingPolicy).toBeUndefined()
})
