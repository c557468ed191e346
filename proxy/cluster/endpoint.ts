/** One address of a cluster with its load state; lives as long as the address is in the cluster. */
import type { Http1Pool } from '../pool/http1-pool.ts'
import type { Http2Pool } from '../pool/http2-pool.ts'
import type { GoldenStats } from '../telemetry/golden-stats.ts'
import { StatsByName } from '../telemetry/stats-by-name.ts'
import { type Balancing, defaultBalancing, type EndpointConfig, type SlowStart } from './cluster-config.ts'
import { EndpointHealth } from './endpoint-health.ts'
import { PeakEwma } from './peak-ewma.ts'

/** What a failure counts as in the latency average: else an endpoint that fails fast would attract the traffic. */
const failurePenaltyMs = 5_000

/** Makes pools of connections that many exchanges share. */
export type SharedPools = {
  readonly http2: () => Http2Pool
  readonly multiplexed: (() => Http2Pool) | undefined
}

export class Endpoint {
  readonly key: string
  /** `address:port`, for logs and the Host of requests that came without one. */
  readonly address: string
  /** Replaced by updates that leave it the same endpoint. */
  config: EndpointConfig
  readonly pool: Http1Pool
  /** By the name that was asked for. */
  readonly #stats: StatsByName
  readonly #make: SharedPools
  /** There once they were asked for. */
  #http2: Http2Pool | undefined = undefined
  #multiplexed: Http2Pool | undefined = undefined
  readonly health = new EndpointHealth()
  #latency: PeakEwma
  #assumedLatencyMs = 0
  /** Exchanges that wait for their reply's head or end. */
  inFlight = 0
  /** Its weight against the mean of its cluster. */
  share = 1
  /** Smooth weighted round robin's account of turns. */
  turn = 0
  #slowStart: SlowStart | undefined = undefined
  #startedMs = 0
  /** When it has its full share; 0 without slow start. */
  #startEndsMs = 0

  constructor(
    config: EndpointConfig,
    pool: Http1Pool,
    makeStats: (apex: string) => GoldenStats,
    nowMs: number,
    make: SharedPools,
  ) {
    this.config = config
    this.key = endpointKey(config)
    this.address = formatEndpoint(config)
    this.pool = pool
    this.#make = make
    this.#stats = new StatsByName(makeStats)
    this.#latency = new PeakEwma(nowMs, ewmaOf(defaultBalancing).decayMs)
  }

  /** Where exchanges with this endpoint are counted that asked for `apex`, which is a name of the configuration. */
  statsFor(apex: string): GoldenStats {
    return this.#stats.for(apex)
  }

  get http2(): Http2Pool {
    return (this.#http2 ??= this.#make.http2())
  }

  /** For HTTP/1, where the endpoint has a sidecar that takes many exchanges on one connection. */
  get multiplexed(): Http2Pool | undefined {
    return (this.#multiplexed ??= this.#make.multiplexed?.())
  }

  /** Opens no more connections; what is under way finishes. */
  drain(): void {
    this.pool.drain()
    this.#http2?.drain()
    this.#multiplexed?.drain()
  }

  sweep(): void {
    this.pool.sweep()
    this.#http2?.sweep()
    this.#multiplexed?.sweep()
  }

  /** Closes an idle connection, if there is one. */
  closeIdle(): void {
    if (this.pool.closeIdle()) return
    this.#http2?.closeIdle()
    this.#multiplexed?.closeIdle()
  }

  /** Takes over what balancing needs. */
  prepare(balancing: Balancing): void {
    const { decayMs, defaultLatencyMs } = ewmaOf(balancing)
    this.#latency.decayMs = decayMs
    this.#assumedLatencyMs = defaultLatencyMs
    this.#slowStart = balancing.slowStart
    if (balancing.slowStart === undefined) this.#startEndsMs = 0
  }

  /** Expected cost of one more exchange here: latency times those already waiting (and this one), by weight. */
  load(nowMs: number): number {
    return this.#latency.valueMs(nowMs) * (1 + this.inFlight / this.#shareAt(nowMs))
  }

  /** The same among endpoints of one weight. */
  loadUnweighted(nowMs: number): number {
    return this.#latency.valueMs(nowMs) * (1 + this.inFlight)
  }

  inFlightShare(nowMs: number): number {
    return this.inFlight / this.#shareAt(nowMs)
  }

  latencyMs(nowMs: number): number {
    return this.#latency.valueMs(nowMs)
  }

  /** An exchange begins here. */
  begin(nowMs: number): void {
    this.inFlight++
    this.#latency.assume(this.#assumedLatencyMs, nowMs)
  }

  observe(latencyMs: number, nowMs: number): void {
    this.#latency.observe(latencyMs, nowMs)
  }

  observeFailure(nowMs: number): void {
    this.#latency.observe(failurePenaltyMs, nowMs)
  }

  /** How fast it was is forgotten: what comes back is another process, and has to be tried for that. */
  forgetLatency(nowMs: number): void {
    this.#latency = new PeakEwma(nowMs, this.#latency.decayMs)
  }

  /** It joined or came back: slow start begins, where there is one. */
  start(nowMs: number): void {
    if (this.#slowStart === undefined) return
    this.#startedMs = nowMs
    this.#startEndsMs = nowMs + this.#slowStart.windowMs
  }

  isStarting(nowMs: number): boolean {
    return nowMs < this.#startEndsMs
  }

  /** The part of its share that it gets while it is starting, up to 1. */
  startedShare(nowMs: number): number {
    const slowStart = this.#slowStart
    if (slowStart === undefined || nowMs >= this.#startEndsMs) return 1
    const done = (nowMs - this.#startedMs) / slowStart.windowMs
    return Math.max(slowStart.minWeightPercent / 100, done ** (1 / slowStart.aggression))
  }

  weightAt(nowMs: number): number {
    return this.isStarting(nowMs) ? this.config.weight * this.startedShare(nowMs) : this.config.weight
  }

  #shareAt(nowMs: number): number {
    return nowMs < this.#startEndsMs ? this.share * this.startedShare(nowMs) : this.share
  }
}

function ewmaOf({ algorithm }: Balancing): { readonly decayMs: number; readonly defaultLatencyMs: number } {
  return algorithm.kind === 'peak-ewma' ? algorithm : { decayMs: 10_000, defaultLatencyMs: 30 }
}

function formatEndpoint({ address, port }: EndpointConfig): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** What makes an endpoint the same one after an update; any change of these is another endpoint. */
export function endpointKey(config: EndpointConfig): string {
  // Another pod at the same address is another process.
  return `${formatEndpoint(config)}|${config.identity ?? ''}|${config.meshed}|${config.labels['dst_pod'] ?? ''}`
}
