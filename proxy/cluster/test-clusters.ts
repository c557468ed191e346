/** Clusters and endpoints for tests; nobody dials them unless the test says how. */
import { ManualClock } from '../../core/manual-clock.ts'
import { ConnectionCount } from '../pool/connection-count.ts'
import { Http1Pool } from '../pool/http1-pool.ts'
import { GoldenStats } from '../telemetry/golden-stats.ts'
import { UpstreamFailure } from '../upstream-failure.ts'
import {
  type ClusterConfig,
  defaultBalancing,
  type EndpointConfig,
  type OutlierDetection,
  plainEndpoint,
} from './cluster-config.ts'
import { Cluster } from './cluster.ts'
import { Endpoint } from './endpoint.ts'

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
export function seededRandom(seed = 1): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

function testEndpoint(config: EndpointConfig, connections = new ConnectionCount()): Endpoint {
  const dial = () => Promise.reject(new UpstreamFailure('connect', 'nobody listens in this test'))
  const pool = new Http1Pool({ dial, nowMs: () => 0, idleTimeoutMs: 1_000, maxIdle: 8, connections })
  return new Endpoint(config, pool, () => new GoldenStats({}), 0, {
    http2: () => {
      throw new Error('not over HTTP/2')
    },
    multiplexed: undefined,
  })
}

/** Endpoints of 10.0.0.1, 10.0.0.2 ... with these weights. */
export function endpointConfigs(weights: readonly number[]): EndpointConfig[] {
  return weights.map((weight, i) => ({ ...plainEndpoint(`10.0.0.${i + 1}`, 80), weight }))
}

export const outlierDefaults: OutlierDetection = {
  consecutiveFailures: { count: 5, enforcingPercent: 100 },
  consecutiveGatewayFailures: undefined,
  consecutiveLocalFailures: undefined,
  successRate: undefined,
  failurePercentage: undefined,
  intervalMs: 10_000,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  ejectionJitterMs: 0,
  maxEjectionPercent: 100,
  alwaysEjectOne: true,
  panicPercent: 0,
}

const testClusterConfig: ClusterConfig = {
  name: 'test',
  connectTimeoutMs: 1_000,
  balancing: defaultBalancing,
  limits: undefined,
  outlierDetection: undefined,
  labels: {},
  tls: 'never',
  identities: [],
  idleTimeoutMs: 1_000,
}

export type TestCluster = { readonly cluster: Cluster; readonly clock: ManualClock }

export function testCluster(
  endpoints: readonly EndpointConfig[],
  config: Partial<ClusterConfig> = {},
  ownZone: string | (() => string) = '',
): TestCluster {
  const clock = new ManualClock()
  const cluster = new Cluster(
    { ...testClusterConfig, ...config },
    {
      clock,
      ownZone: typeof ownZone === 'string' ? () => ownZone : ownZone,
      random: seededRandom(),
      makeEndpoint: (endpoint, _cluster, connections) => testEndpoint(endpoint, connections),
    },
  )
  cluster.setEndpoints(endpoints)
  return { cluster, clock }
}

/** How often each address is picked. */
export function countPicks(
  picks: number,
  pick: (i: number) => Endpoint | undefined,
): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (let i = 0; i < picks; i++) {
    const address = pick(i)?.config.address ?? 'none'
    counts[address] = (counts[address] ?? 0) + 1
  }
  return counts
}
