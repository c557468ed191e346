/** One address of a cluster with its load state; lives as long as the address is in the cluster. */
import type { Http1Pool } from '../pool/http1-pool.ts'
import type { GoldenStats } from '../telemetry/golden-stats.ts'
import type { EndpointConfig } from './cluster-config.ts'
import { PeakEwma } from './peak-ewma.ts'
import { Reachability } from './reachability.ts'

/** What a failure counts as in the latency average: else an endpoint that fails fast would attract the traffic. */
export const failurePenaltyMs = 5_000

export class Endpoint {
  readonly key: string
  /** `address:port`, for logs and the Host of requests that came without one. */
  readonly address: string
  readonly config: EndpointConfig
  readonly pool: Http1Pool
  /** Where exchanges with this endpoint are counted. */
  readonly stats: GoldenStats
  readonly reachability = new Reachability()
  #latency: PeakEwma
  /** Exchanges that wait for their reply's head or end. */
  inFlight = 0

  constructor(config: EndpointConfig, pool: Http1Pool, stats: GoldenStats, nowMs: number) {
    this.config = config
    this.key = endpointKey(config)
    this.address = this.key.slice(0, this.key.indexOf('|'))
    this.pool = pool
    this.stats = stats
    this.#latency = new PeakEwma(nowMs)
  }

  /** Expected cost of one more exchange here: latency times those already waiting (and this one), by weight. */
  load(nowMs: number): number {
    return (this.#latency.valueMs(nowMs) * (this.inFlight + 1)) / this.config.weight
  }

  latencyMs(nowMs: number): number {
    return this.#latency.valueMs(nowMs)
  }

  observe(latencyMs: number, nowMs: number): void {
    this.#latency.observe(latencyMs, nowMs)
  }

  /** It rests; how fast it was is forgotten, since what comes back is another process, and has to be tried for that. */
  connectFailed(startedMs: number, nowMs: number): void {
    this.reachability.failed(startedMs, nowMs)
    this.#latency = new PeakEwma(nowMs)
  }

  observeFailure(nowMs: number): void {
    this.#latency.observe(failurePenaltyMs, nowMs)
  }
}

/** What makes an endpoint the same one after an update; any change of these is another endpoint. */
export function endpointKey(config: EndpointConfig): string {
  const host = config.address.includes(':') ? `[${config.address}]` : config.address
  return `${host}:${config.port}|${config.identity ?? ''}|${config.meshed}`
}
