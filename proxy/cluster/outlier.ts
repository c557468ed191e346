/**
 * Takes endpoints out of use that cannot be connected to or fail their requests, and lets them come back by the success
 * of one real request. Envoy's outlier detection where it is configured; unreachable endpoints are left out always.
 */
import type { OutlierDetection } from './cluster-config.ts'
import type { Endpoint } from './endpoint.ts'
import { successRateOutliers } from './success-rate.ts'

/** Out of use because it could not be connected to: at first, and at most. */
export const firstRestMs = 100
export const longestRestMs = 5_000

export const ejectionReasons = [
  'consecutive-failures',
  'consecutive-gateway-failures',
  'consecutive-local-failures',
  'success-rate',
  'failure-percentage',
] as const
export type EjectionReason = (typeof ejectionReasons)[number]

export type OutlierParts = {
  readonly endpoints: () => readonly Endpoint[]
  readonly random: () => number
  /** An endpoint went out of use or came back. */
  readonly onChange: (endpoint: Endpoint, change: 'out' | 'back', nowMs: number) => void
}

/** What is counted of a cluster; read at scrape. */
export type OutlierStats = {
  readonly ejections: Record<EjectionReason, number>
  /** Not carried out, because too many were out already. */
  spared: number
  unreachable: number
}

export class OutlierDetector {
  readonly #parts: OutlierParts
  #config: OutlierDetection | undefined
  #analysisMs = 0
  readonly stats: OutlierStats = {
    ejections: {
      'consecutive-failures': 0,
      'consecutive-gateway-failures': 0,
      'consecutive-local-failures': 0,
      'success-rate': 0,
      'failure-percentage': 0,
    },
    spared: 0,
    unreachable: 0,
  }
  /** The earliest time at which some endpoint may be probed. */
  nextProbeMs = Number.POSITIVE_INFINITY
  /** Replies have to be reported: somebody may be ejected, or come back, for them. */
  watching = false

  constructor(config: OutlierDetection | undefined, parts: OutlierParts) {
    this.#parts = parts
    this.#config = config
    this.refresh()
  }

  configure(config: OutlierDetection | undefined, nowMs: number): void {
    this.#config = config
    // A shorter interval counts from now on, not only after the one under way.
    if (config !== undefined) this.#analysisMs = Math.min(this.#analysisMs, nowMs + config.intervalMs)
    else
      for (const endpoint of this.#parts.endpoints())
        if (endpoint.health.state === 'ejected') this.#readmit(endpoint, nowMs)
    this.refresh()
  }

  /** A connection was opened: whoever was only unreachable is not any more. */
  connected(endpoint: Endpoint, nowMs: number): void {
    const { health } = endpoint
    health.restMs = 0
    if (health.state === 'unreachable') this.#readmit(endpoint, nowMs)
  }

  /** An attempt that began at `startedMs` could not connect. Those that began before an earlier failure tell nothing new. */
  connectFailed(endpoint: Endpoint, startedMs: number, nowMs: number): void {
    const { health } = endpoint
    if (startedMs < health.connectFailedMs) return
    health.connectFailedMs = nowMs
    health.restMs = Math.min(Math.max(firstRestMs, health.restMs * 2), longestRestMs)
    this.#countLocal(endpoint, startedMs, nowMs)
    if (health.state === 'ejected') return
    if (health.state === 'in-use') this.stats.unreachable++
    this.#leaveOut(endpoint, 'unreachable', health.restMs, nowMs)
  }

  /** A reply with `status` came to an attempt that began at `startedMs`. Called only while `watching`. */
  replied(endpoint: Endpoint, status: number, startedMs: number, nowMs: number): void {
    const { health } = endpoint
    if (health.state === 'ejected') this.#judge(endpoint, status < 500, startedMs, nowMs)
    else if (status < 500) this.#count(endpoint, true, nowMs)
    else this.#countFailure(endpoint, status, nowMs)
  }

  /** The connection broke, or the time was up, before there was a reply: as a gateway's failure. Called only while `watching`. */
  broken(endpoint: Endpoint, startedMs: number, nowMs: number): void {
    this.replied(endpoint, 502, startedMs, nowMs)
  }

  /** Nothing was learnt from the attempt: another one has to find out. */
  cancelled(endpoint: Endpoint, startedMs: number, nowMs: number): void {
    const { health } = endpoint
    if (health.inUse || startedMs !== health.probingSinceMs) return
    health.probeMs = nowMs
    this.refresh()
  }

  /** An endpoint that has been out of use for long enough: the request at hand finds out how it is now. */
  takeProbe(nowMs: number, avoid: readonly Endpoint[]): Endpoint | undefined {
    const due = this.#parts
      .endpoints()
      .find((endpoint) => this.mayProbe(endpoint, nowMs) && !avoid.includes(endpoint))
    if (due !== undefined) this.probe(due, nowMs)
    return due
  }

  mayProbe(endpoint: Endpoint, nowMs: number): boolean {
    const { health } = endpoint
    return !health.inUse && nowMs >= health.probeMs
  }

  probe(endpoint: Endpoint, nowMs: number): void {
    const { health } = endpoint
    health.probingSinceMs = nowMs
    health.probeMs = nowMs + (health.state === 'ejected' ? health.ejectionMs : health.restMs)
    this.refresh()
  }

  /** After a change of the endpoints or of their states. */
  refresh(): void {
    const out = this.#parts.endpoints().filter((endpoint) => !endpoint.health.inUse)
    this.nextProbeMs = Math.min(...out.map((endpoint) => endpoint.health.probeMs))
    this.watching = this.#config !== undefined || out.length > 0
  }

  #judge(endpoint: Endpoint, good: boolean, startedMs: number, nowMs: number): void {
    // Sent before it was ejected: that is known already.
    if (startedMs < endpoint.health.probingSinceMs) return
    if (good) this.#readmit(endpoint, nowMs)
    else this.#ejectFor(endpoint, nowMs)
  }

  #count(endpoint: Endpoint, good: boolean, nowMs: number): void {
    const { health } = endpoint
    health.requests++
    if (good) {
      health.successes++
      health.failuresInARow = 0
      health.gatewayFailuresInARow = 0
      health.localFailuresInARow = 0
    }
    if (nowMs >= this.#analysisMs) this.#analyse(nowMs)
  }

  #countFailure(endpoint: Endpoint, status: number, nowMs: number): void {
    const { health } = endpoint
    health.failuresInARow++
    health.localFailuresInARow = 0
    if (status >= 502 && status <= 504) health.gatewayFailuresInARow++
    else health.gatewayFailuresInARow = 0
    this.#count(endpoint, false, nowMs)
    this.#judgeRows(endpoint, nowMs)
  }

  /** What never reached the application counts apart if that is configured, else as a gateway's failure. */
  #countLocal(endpoint: Endpoint, startedMs: number, nowMs: number): void {
    const config = this.#config
    if (config === undefined) return
    const { health } = endpoint
    if (health.state === 'ejected') {
      this.#judge(endpoint, false, startedMs, nowMs)
      return
    }
    if (config.consecutiveLocalFailures === undefined) {
      health.failuresInARow++
      health.gatewayFailuresInARow++
    } else {
      health.localFailuresInARow++
    }
    this.#count(endpoint, false, nowMs)
    this.#judgeRows(endpoint, nowMs)
  }

  #judgeRows(endpoint: Endpoint, nowMs: number): void {
    const config = this.#config
    if (config === undefined) return
    const { failuresInARow, gatewayFailuresInARow, localFailuresInARow } = endpoint.health
    const { consecutiveFailures, consecutiveGatewayFailures, consecutiveLocalFailures } = config
    for (const [rule, count, reason] of [
      [consecutiveGatewayFailures, gatewayFailuresInARow, 'consecutive-gateway-failures'],
      [consecutiveFailures, failuresInARow, 'consecutive-failures'],
      [consecutiveLocalFailures, localFailuresInARow, 'consecutive-local-failures'],
    ] as const) {
      if (rule === undefined || count < rule.count || endpoint.health.state === 'ejected') continue
      this.#eject(endpoint, reason, rule.enforcingPercent, nowMs)
    }
  }

  #analyse(nowMs: number): void {
    const config = this.#config
    if (config === undefined) return
    this.#analysisMs = nowMs + config.intervalMs
    const endpoints = this.#parts.endpoints()
    for (const { endpoint, reason, enforcingPercent } of successRateOutliers(endpoints, config))
      this.#eject(endpoint, reason, enforcingPercent, nowMs)
    for (const { health } of endpoints) {
      health.requests = 0
      health.successes = 0
    }
  }

  #eject(endpoint: Endpoint, reason: EjectionReason, enforcingPercent: number, nowMs: number): void {
    if (this.#parts.random() * 100 >= enforcingPercent) return
    if (!this.#mayEjectOneMore()) {
      this.stats.spared++
      // It would be judged again at each further failure.
      endpoint.health.clear()
      return
    }
    this.stats.ejections[reason]++
    this.#ejectFor(endpoint, nowMs)
  }

  #mayEjectOneMore(): boolean {
    const config = this.#config
    if (config === undefined) return false
    const endpoints = this.#parts.endpoints()
    const ejected = endpoints.filter((endpoint) => endpoint.health.state === 'ejected').length
    if (ejected === 0 && config.alwaysEjectOne) return true
    return (ejected + 1) * 100 <= config.maxEjectionPercent * endpoints.length
  }

  /** Twice as long each time; an interval in use makes up for one time. */
  #ejectFor(endpoint: Endpoint, nowMs: number): void {
    const config = this.#config
    if (config === undefined) return
    const { health } = endpoint
    if (health.inUse) {
      const forgiven = Math.floor((nowMs - health.returnedMs) / config.intervalMs)
      health.ejections = Math.max(0, health.ejections - forgiven)
    }
    const grownMs = config.baseEjectionMs * 2 ** Math.min(health.ejections, 30)
    health.ejections++
    health.ejectionMs =
      Math.min(grownMs, config.maxEjectionMs) + this.#parts.random() * config.ejectionJitterMs
    this.#leaveOut(endpoint, 'ejected', health.ejectionMs, nowMs)
  }

  #leaveOut(endpoint: Endpoint, state: 'unreachable' | 'ejected', forMs: number, nowMs: number): void {
    const { health } = endpoint
    const changed = health.state !== state
    health.state = state
    health.probeMs = nowMs + forMs
    health.probingSinceMs = Number.POSITIVE_INFINITY
    if (state === 'ejected') health.clear()
    this.refresh()
    if (changed) this.#parts.onChange(endpoint, 'out', nowMs)
  }

  #readmit(endpoint: Endpoint, nowMs: number): void {
    const { health } = endpoint
    if (health.state === 'ejected') health.clear()
    health.state = 'in-use'
    health.probingSinceMs = Number.POSITIVE_INFINITY
    health.returnedMs = nowMs
    this.refresh()
    this.#parts.onChange(endpoint, 'back', nowMs)
  }
}
