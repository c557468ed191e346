import { describe, expect, test } from 'vitest'
import { decode, encode, pack } from '../../api/xds/codec.ts'
import { httpProtocolOptions } from '../../api/xds/naming.ts'
import { toStruct } from '../../api/xds/struct.ts'
import type { Cluster, ClusterLoadAssignment } from '../../api/xds/types.ts'
import { decodeCluster, decodeEndpoints } from './decode-cluster.ts'
import { Problems } from './problems.ts'

const name = 'envoy.config.cluster.v3.Cluster'

/** Over the wire, where zeros and absent fields look alike unless they are wrapped. */
function read(cluster: Cluster) {
  const problems = new Problems()
  const { config } = decodeCluster(
    decode(name, encode(name, { name: 'c', type: 'EDS', ...cluster })),
    problems,
  )
  return { ...config, problems: problems.list }
}

function policies(...configs: readonly ReturnType<typeof pack>[]): Cluster {
  return {
    loadBalancingPolicy: {
      policies: configs.map((typedConfig) => ({ typedExtensionConfig: { name: 'x', typedConfig } })),
    },
  }
}

describe('the version of HTTP', () => {
  const options = (explicitHttpConfig: object): Cluster => ({
    typedExtensionProtocolOptions: {
      [httpProtocolOptions]: pack(httpProtocolOptions, { explicitHttpConfig }),
    },
  })
  test.each([
    [options({ http2ProtocolOptions: {} }), { http2: true, http1: false }],
    [options({ httpProtocolOptions: {} }), { http2: false, http1: true }],
    [{}, { http2: false, http1: false }],
  ])('%j: %j', (cluster, version) => {
    expect(read(cluster)).toMatchObject({ ...version, problems: [] })
  })
})

describe('lb_policy', () => {
  test.each([
    [{}, { kind: 'round-robin' }],
    [{ lbPolicy: 'LEAST_REQUEST' }, { kind: 'least-request', choices: 2 }],
    [
      { lbPolicy: 'LEAST_REQUEST', leastRequestLbConfig: { choiceCount: { value: 4 } } },
      { kind: 'least-request', choices: 4 },
    ],
    [{ lbPolicy: 'RANDOM' }, { kind: 'random' }],
    [{ lbPolicy: 'RING_HASH' }, { kind: 'ring-hash', minRingSize: 1024, maxRingSize: 8_388_608 }],
    [{ lbPolicy: 'MAGLEV' }, { kind: 'maglev', tableSize: 65_537 }],
  ] as const)('%j', (cluster, algorithm) => {
    expect(read(cluster).balancing.algorithm).toEqual(algorithm)
  })

  test.each([
    [{ lbPolicy: 'CLUSTER_PROVIDED' }, 'lb_policy: CLUSTER_PROVIDED is not supported'],
    [{ lbPolicy: 'MAGLEV', maglevLbConfig: { tableSize: { value: 8 } } }, 'table_size 8 is no prime'],
    [
      {
        lbPolicy: 'RING_HASH',
        ringHashLbConfig: { minimumRingSize: { value: 9 }, maximumRingSize: { value: 3 } },
      },
      'a ring of 9 to 3 is not possible',
    ],
  ] as const)('%j is refused', (cluster, problem) => {
    expect(read(cluster).problems.join()).toContain(problem)
  })
})

describe('load_balancing_policy', () => {
  test('goes before lb_policy, and the first one that is known counts', () => {
    const unknown = {
      typeUrl: 'type.googleapis.com/envoy.extensions.load_balancing_policies.subset.v3.Subset',
    }
    const random = pack('envoy.extensions.load_balancing_policies.random.v3.Random', {})
    expect(read({ lbPolicy: 'ROUND_ROBIN', ...policies(unknown, random) }).balancing.algorithm).toEqual({
      kind: 'random',
    })
    expect(read(policies(unknown)).problems.join()).toContain('load_balancing_policy: has no policy')
  })

  test('peak EWMA is an extension of our own', () => {
    const config = { decay: { seconds: 5 }, defaultLatency: { nanos: 1_500_000 } }
    expect(read(policies(pack('weft.load_balancing.v1.PeakEwma', config))).balancing.algorithm).toEqual({
      kind: 'peak-ewma',
      decayMs: 5_000,
      defaultLatencyMs: 1.5,
    })
  })

  test('slow start and the preference of one zone', () => {
    const config = {
      slowStartConfig: { slowStartWindow: { seconds: 30 }, aggression: { defaultValue: 2 } },
      localityLbConfig: { zoneAwareLbConfig: {} },
    }
    const { balancing } = read(
      policies(pack('envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin', config)),
    )
    expect(balancing).toEqual({
      algorithm: { kind: 'round-robin' },
      slowStart: { windowMs: 30_000, minWeightPercent: 10, aggression: 2 },
      zonePreference: 'same-zone',
    })
  })
})

describe('circuit_breakers', () => {
  test('are absent unless set, and have the defaults of Envoy for what is left out', () => {
    expect(read({}).limits).toBeUndefined()
    expect(read({ circuitBreakers: { thresholds: [{ maxRequests: { value: 0 } }] } }).limits).toEqual({
      maxConnections: 1024,
      maxPending: 1024,
      maxRequests: 0,
      maxRetries: 3,
      retryBudget: undefined,
      queueTimeoutMs: 1_000,
    })
  })

  test('of the default priority count, and those per host are refused', () => {
    const high = { priority: 'HIGH' as const, maxRequests: { value: 1 } }
    expect(read({ circuitBreakers: { thresholds: [high] } }).limits).toBeUndefined()
    expect(read({ circuitBreakers: { perHostThresholds: [{}] } }).problems.join()).toContain(
      'circuit_breakers.per_host_thresholds: is not supported',
    )
  })
})

describe('outlier_detection', () => {
  test('is absent unless set, and has the defaults of Envoy for what is left out', () => {
    expect(read({}).outlierDetection).toBeUndefined()
    expect(read({ outlierDetection: {} }).outlierDetection).toEqual({
      consecutiveFailures: { count: 5, enforcingPercent: 100 },
      consecutiveGatewayFailures: undefined,
      consecutiveLocalFailures: undefined,
      successRate: { minEndpoints: 5, minRequests: 100, stdevFactor: 1.9, enforcingPercent: 100 },
      failurePercentage: undefined,
      intervalMs: 10_000,
      baseEjectionMs: 30_000,
      maxEjectionMs: 300_000,
      ejectionJitterMs: 0,
      maxEjectionPercent: 10,
      alwaysEjectOne: false,
      panicPercent: 50,
    })
  })

  test('zero is not the same as left out', () => {
    const { outlierDetection } = read({
      outlierDetection: {
        enforcingConsecutive_5xx: { value: 0 },
        enforcingSuccessRate: { value: 0 },
        maxEjectionPercent: { value: 0 },
      },
      commonLbConfig: { healthyPanicThreshold: { value: 0 } },
    })
    expect(outlierDetection).toMatchObject({
      consecutiveFailures: undefined,
      successRate: undefined,
      maxEjectionPercent: 0,
      panicPercent: 0,
    })
  })

  test('failures to connect are counted apart only where they are split off', () => {
    const local = { consecutiveLocalOriginFailure: { value: 2 } }
    expect(read({ outlierDetection: local }).outlierDetection?.consecutiveLocalFailures).toBeUndefined()
    expect(
      read({ outlierDetection: { ...local, splitExternalLocalOriginErrors: true } }).outlierDetection
        ?.consecutiveLocalFailures,
    ).toEqual({ count: 2, enforcingPercent: 100 })
  })
})

describe('endpoints', () => {
  const address = (host: string, port = 80) => ({
    address: { socketAddress: { address: host, portValue: port } },
  })
  const assignment = (endpoint: object, metadata = {}): ClusterLoadAssignment => ({
    endpoints: [{ locality: { zone: 'a' }, lbEndpoints: [{ endpoint, metadata }] }],
  })

  test('are counted by what owns their pods', () => {
    const labelsOf = (facts: Readonly<Record<string, string>>) => {
      const metadata = { filterMetadata: { 'weft.dev': toStruct(facts) } }
      return decodeEndpoints(assignment(address('10.0.0.1'), metadata), new Problems())[0]?.labels
    }
    expect(labelsOf({ owner: 'statefulset/db', pod: 'db-0' })).toEqual({
      dst_statefulset: 'db',
      dst_pod: 'db-0',
    })
    expect(labelsOf({ owner: 'job/nightly' })).toEqual({ dst_k8s_job: 'nightly' })
    expect(labelsOf({ owner: 'cheese/brie', deployment: 'web' })).toEqual({ dst_deployment: 'web' })
  })

  test('may have further addresses, on the same port', () => {
    const problems = new Problems()
    const endpoint = { ...address('10.0.0.1'), additionalAddresses: [address('fd00::1')] }
    expect(decodeEndpoints(assignment(endpoint), problems)[0]).toMatchObject({
      address: '10.0.0.1',
      otherAddresses: ['fd00::1'],
      zone: 'a',
      forZones: [],
    })
    decodeEndpoints(
      assignment({ ...address('10.0.0.1'), additionalAddresses: [address('fd00::1', 81)] }),
      problems,
    )
    expect(problems.list).toEqual([
      'endpoints[0].lb_endpoints[0].endpoint.additional_addresses[0]: has another port than 80',
    ])
  })
})
