/** A named set of endpoints, its picker and its pools; keeps the state of the endpoints that stay. */
import type { Clock } from '../../core/clock.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import type { ClusterConfig, EndpointConfig } from './cluster-config.ts'
import { ConnectionCount } from '../pool/connection-count.ts'
import { type Endpoint, endpointKey } from './endpoint.ts'
import { isHashing, makeHashPicker, makePicker, type PlainAlgorithm } from './make-picker.ts'
import { OutlierDetector } from './outlier.ts'
import type { Picker } from './picker.ts'
import { inUseOf } from './usable.ts'
import { nearShare, ZonePicker, type ZoneStats, zonesOf } from './zone-preference.ts'

/** Makes the state of an endpoint that joined: its pool and its counters. */
export type MakeEndpoint = (
  config: EndpointConfig,
  /** As it is now: an update may change it. */
  cluster: () => ClusterConfig,
  connections: ConnectionCount,
) => Endpoint

export type ClusterParts = {
  readonly makeEndpoint: MakeEndpoint
  readonly clock: Clock
  /** Where this sidecar is now; undefined: it makes no difference. */
  readonly ownZone?: () => string
  readonly random?: () => number
}

export class Cluster {
  readonly name: string
  readonly outlier: OutlierDetector
  /** Of all its pools. */
  readonly connections = new ConnectionCount()
  readonly zoneStats: ZoneStats = { near: 0, far: 0 }
  /** Undefined without limits. */
  breaker: CircuitBreaker | undefined = undefined
  /** So many are out of use that ejections are overlooked. */
  panicking = false
  #config: ClusterConfig
  #endpoints: readonly Endpoint[] = []
  #picker: Picker
  #inUse: ReadonlySet<Endpoint> = new Set()
  /** The picker probes by itself: a probe must not take a request away from where its hash leads. */
  #hashing = false
  readonly #parts: ClusterParts
  readonly #random: () => number

  constructor(config: ClusterConfig, parts: ClusterParts) {
    this.name = config.name
    this.#config = config
    this.#parts = parts
    this.#random = parts.random ?? Math.random
    this.outlier = new OutlierDetector(config.outlierDetection, {
      endpoints: () => this.#endpoints,
      random: this.#random,
      onChange: (endpoint, change, nowMs) => this.#onHealthChange(endpoint, change, nowMs),
    })
    this.#setLimits()
    this.#picker = this.#makePicker()
  }

  get config(): ClusterConfig {
    return this.#config
  }

  get endpoints(): readonly Endpoint[] {
    return this.#endpoints
  }

  /** Some endpoint is there to be picked. */
  get available(): boolean {
    return this.#endpoints.length > 0
  }

  /** An endpoint for one attempt, others than `avoid` if there are any; undefined when none may be sent to. */
  pick(nowMs: number, avoid: readonly Endpoint[], hash: number | undefined): Endpoint | undefined {
    if (nowMs >= this.outlier.nextProbeMs && !this.#hashing) {
      const probed = this.outlier.takeProbe(nowMs, avoid)
      if (probed !== undefined) return probed
    }
    return this.#picker.pick(nowMs, avoid, hash)
  }

  reconfigure(config: ClusterConfig): void {
    this.#config = config
    const nowMs = this.#parts.clock.monotonicMs()
    for (const endpoint of this.#endpoints) endpoint.prepare(config.balancing)
    this.outlier.configure(config.outlierDetection, nowMs)
    this.#setLimits()
    this.#publish()
  }

  /** Replaces the set; an endpoint that was there before keeps its load state and its connections. */
  setEndpoints(configs: readonly EndpointConfig[]): void {
    const previous = new Map(this.#endpoints.map((endpoint) => [endpoint.key, endpoint]))
    const next = new Map<string, Endpoint>()
    for (const config of configs) {
      const key = endpointKey(config)
      const kept = previous.get(key)
      if (kept !== undefined) kept.config = config
      next.set(key, kept ?? this.#join(config))
    }
    this.#endpoints = [...next.values()]
    for (const [key, endpoint] of previous) if (!next.has(key)) endpoint.drain()
    const mean = meanWeight(this.#endpoints)
    for (const endpoint of this.#endpoints) endpoint.share = endpoint.config.weight / mean
    this.outlier.refresh()
    this.#publish()
  }

  /**
   * Instead of `picked`, where a connection would have to be opened at the limit: the least loaded endpoint that has one
   * waiting. Not where a hash or a probe wants just this one.
   */
  warmer(picked: Endpoint, avoid: readonly Endpoint[], nowMs: number): Endpoint {
    const { breaker, connections } = this
    const full = breaker !== undefined && connections.open >= breaker.limits.maxConnections
    if (!full || picked.pool.stats.idle > 0 || this.#hashing || !this.#inUse.has(picked)) return picked
    const warm = [...this.#inUse].filter((other) => other.pool.stats.idle > 0 && !avoid.includes(other))
    return (
      warm.reduce<Endpoint | undefined>(
        (best, other) => (best === undefined || other.load(nowMs) < best.load(nowMs) ? other : best),
        undefined,
      ) ?? picked
    )
  }

  /** Makes room for one more connection: closes an idle one, where most of them are. */
  closeIdle(): void {
    const most = this.#endpoints.reduce<Endpoint | undefined>(
      (best, endpoint) => (endpoint.pool.stats.idle > (best?.pool.stats.idle ?? 0) ? endpoint : best),
      undefined,
    )
    most?.closeIdle()
  }

  /** The sidecar is in another zone than it was. */
  moved(): void {
    this.#publish()
  }

  /** The cluster is gone: exchanges in flight finish, connections close. */
  drain(): void {
    for (const endpoint of this.#endpoints) endpoint.drain()
  }

  #join(config: EndpointConfig): Endpoint {
    const made = this.#parts.makeEndpoint(config, () => this.#config, this.connections)
    const nowMs = this.#parts.clock.monotonicMs()
    made.prepare(this.#config.balancing)
    made.start(nowMs)
    return made
  }

  #setLimits(): void {
    const { limits } = this.#config
    const before = this.breaker
    if (limits === undefined) {
      this.breaker = undefined
      if (before === undefined) return
      before.limits = { ...before.limits, maxConnections: Number.POSITIVE_INFINITY }
    } else if (before === undefined) {
      this.breaker = new CircuitBreaker(limits, this.connections, this.#parts.clock)
    } else {
      before.limits = limits
    }
    // Those that are kept for later only; whoever serves a request goes on.
    while (limits !== undefined && this.connections.idle > 0 && this.connections.open > limits.maxConnections)
      this.closeIdle()
    before?.recheck()
  }

  #onHealthChange(endpoint: Endpoint, change: 'out' | 'back', nowMs: number): void {
    if (change === 'back') {
      endpoint.forgetLatency(nowMs)
      endpoint.start(nowMs)
    }
    // A hashing picker keeps everybody's places and asks who is in use.
    if (this.#hashing) this.#judgeUse()
    else this.#publish()
  }

  #publish(): void {
    this.#picker = this.#makePicker()
  }

  #judgeUse(): readonly Endpoint[] {
    const { inUse, panicking } = inUseOf(this.#endpoints, this.#config.outlierDetection?.panicPercent)
    this.panicking = panicking
    this.#inUse = new Set(inUse)
    return inUse
  }

  #makePicker(): Picker {
    const { algorithm } = this.#config.balancing
    const inUse = this.#judgeUse()
    this.#hashing = isHashing(algorithm)
    if (isHashing(algorithm)) return makeHashPicker(algorithm, this.#endpoints, this.#random, this.#admits)
    return this.#makePlainPicker(algorithm, inUse)
  }

  #makePlainPicker(algorithm: PlainAlgorithm, inUse: readonly Endpoint[]): Picker {
    const { slowStart, zonePreference } = this.#config.balancing
    const all = this.#endpoints
    const alike = slowStart === undefined && all.every(({ share }) => share === 1)
    const zones = zonesOf(all, zonePreference, this.#parts.ownZone?.() ?? '')
    const of = (endpoints: readonly Endpoint[]): Picker =>
      makePicker(algorithm, endpoints, this.#random, alike)
    if (zones === undefined) return of(inUse)
    const nearEndpoints = inUse.filter((endpoint) => zones.near.includes(endpoint))
    return new ZonePicker({
      near: of(nearEndpoints),
      far: of(inUse.filter((endpoint) => !zones.near.includes(endpoint))),
      nearEndpoints,
      nearShare: nearShare(nearEndpoints.length, zones.near.length),
      random: this.#random,
      stats: this.zoneStats,
    })
  }

  /** A request that its hash leads to an endpoint out of use probes that one when the time has come. */
  readonly #admits = (endpoint: Endpoint, nowMs: number): boolean => {
    if (this.#inUse.has(endpoint)) return true
    if (!this.outlier.mayProbe(endpoint, nowMs)) return false
    this.outlier.probe(endpoint, nowMs)
    return true
  }
}

function meanWeight(endpoints: readonly Endpoint[]): number {
  return endpoints.reduce((sum, endpoint) => sum + endpoint.config.weight, 0) / endpoints.length
}
