/** What one pick costs, by balancer and number of endpoints: with a request begun, answered and observed, as in the data path. */
import { Bench } from 'tinybench'
import { systemClock } from '../../core/clock.ts'
import { type BalancingAlgorithm, plainEndpoint } from '../../proxy/cluster/cluster-config.ts'
import { Cluster } from '../../proxy/cluster/cluster.ts'
import { Endpoint } from '../../proxy/cluster/endpoint.ts'
import { Http1Pool } from '../../proxy/pool/http1-pool.ts'
import { GoldenStats } from '../../proxy/telemetry/golden-stats.ts'

const algorithms: readonly BalancingAlgorithm[] = [
  { kind: 'peak-ewma', decayMs: 10_000, defaultLatencyMs: 30 },
  { kind: 'least-request', choices: 2 },
  { kind: 'round-robin' },
  { kind: 'random' },
  { kind: 'ring-hash', minRingSize: 1024, maxRingSize: 8_388_608 },
  { kind: 'maglev', tableSize: 65_537 },
]
const sizes = [3, 10, 100] as const
const picksPerRun = 1_000
const none: readonly Endpoint[] = []

function makeCluster(algorithm: BalancingAlgorithm, size: number): Cluster {
  const config = {
    name: 'bench',
    connectTimeoutMs: 1_000,
    balancing: { algorithm, slowStart: undefined, zonePreference: 'disabled' },
    limits: undefined,
    outlierDetection: undefined,
    labels: {},
    tls: 'never',
    identities: [],
    idleTimeoutMs: 1_000,
  } as const
  const dial = () => Promise.reject(new Error('nobody is dialled here'))
  const cluster = new Cluster(config, {
    clock: systemClock,
    makeEndpoint: (endpoint, _cluster, connections) => {
      const pool = new Http1Pool({ dial, nowMs: () => 0, idleTimeoutMs: 1_000, maxIdle: 1, connections })
      return new Endpoint(endpoint, pool, () => new GoldenStats({}), 0, {
        http2: () => {
          throw new Error('not over HTTP/2')
        },
        multiplexed: undefined,
      })
    },
  })
  cluster.setEndpoints(Array.from({ length: size }, (_, i) => plainEndpoint(`10.0.${i >> 8}.${i & 255}`, 80)))
  return cluster
}

function picks(algorithm: BalancingAlgorithm, size: number): () => void {
  const cluster = makeCluster(algorithm, size)
  let nowMs = 1
  return () => {
    for (let i = 0; i < picksPerRun; i++) {
      nowMs += 0.02
      const endpoint = cluster.pick(nowMs, none, (i * 2_654_435_761) >>> 0)
      if (endpoint === undefined) throw new Error('nobody was picked')
      endpoint.begin(nowMs)
      endpoint.observe(1 + (nowMs % 3), nowMs)
      endpoint.inFlight--
    }
  }
}

/** A table of nanoseconds, medians. */
export async function pickCosts(): Promise<string> {
  const bench = new Bench({ time: 500, warmupTime: 200 })
  for (const algorithm of algorithms)
    for (const size of sizes) bench.add(`${algorithm.kind} ${size}`, picks(algorithm, size))
  await bench.run()
  const medianNs = (name: string): string => {
    const result = bench.getTask(name)?.result
    if (result === undefined || !('latency' in result)) throw new Error(`${name} was not measured`)
    return ((result.latency.p50 * 1e6) / picksPerRun).toFixed(0)
  }
  const head = `${'ns a pick, of endpoints'.padEnd(24)}${sizes.map((size) => String(size).padStart(8)).join('')}`
  const rows = algorithms.map(
    ({ kind }) =>
      `${kind.padEnd(24)}${sizes.map((size) => medianNs(`${kind} ${size}`).padStart(8)).join('')}`,
  )
  return [head, ...rows].join('\n')
}
