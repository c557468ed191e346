/**
 * What sidecars reported of the last moments, as one picture. Pure: it is told the time. Memory is bounded by the reporters
 * and by `maxLoads`; each load is two sums, the half window under way and the one before.
 */
import type {
  LiveEdge,
  LiveInbound,
  LiveMesh,
  LiveService,
  LiveSidecar,
  LiveWorkload,
} from '../../api/live.ts'
import { parseInboundClusterName, parseServiceName } from '../../api/xds/naming.ts'
import { LoadSum, mtlsRatio, quantileMs, successRatio } from './load-figures.ts'
import type { ReportedLoad } from './load-report.ts'

/** Together, over all reporters. */
export const maxLoads = 100_000
/** Of one: more than any workload talks to. */
export const maxLoadsOfOne = 2_000
/** So many reports a second are what a control plane has time for. */
const reportsPerSecond = 1_000
const shortestIntervalMs = 1_000
const shortestWindowMs = 10_000
const intervalsPerWindow = 4

type Target =
  | { readonly apex: LiveService; readonly backend: LiveService; readonly inbound?: undefined }
  | { readonly inbound: number }

type KeptLoad = {
  readonly key: string
  readonly target: Target
  now: LoadSum
  before: LoadSum
  openConnections: number
  mtlsOpenConnections: number
  reportedMs: number
}

/** One stream of reports. */
export type Reporter = {
  source: LiveWorkload
  /** undefined: no sidecar, but a stock client. */
  sidecar: LiveSidecar | undefined
  readonly loads: Map<string, KeptLoad>
  nowMs: number
  beforeMs: number
  halfBeganMs: number
  reportedMs: number
}

type EdgeSum = {
  readonly sum: LoadSum
  perSecond: number
  openConnections: number
  mtlsOpenConnections: number
}

export class LiveMeshModel {
  readonly #reporters = new Set<Reporter>()
  #loads = 0
  /** Loads that there was no room for; read at scrape. */
  overflowed = 0

  get reporters(): number {
    return this.#reporters.size
  }

  get loads(): number {
    return this.#loads
  }

  /** How often each is to report: the more there are, the rarer. */
  get intervalMs(): number {
    return Math.max(shortestIntervalMs, Math.ceil((this.#reporters.size / reportsPerSecond) * 1000))
  }

  get windowMs(): number {
    return Math.max(shortestWindowMs, intervalsPerWindow * this.intervalMs)
  }

  join(source: LiveWorkload, sidecar: LiveSidecar | undefined, atMs: number): Reporter {
    const reporter = {
      source,
      sidecar,
      loads: new Map<string, KeptLoad>(),
      nowMs: 0,
      beforeMs: 0,
      halfBeganMs: atMs,
      reportedMs: atMs,
    }
    this.#reporters.add(reporter)
    return reporter
  }

  /** What it reported goes with it. */
  leave(reporter: Reporter): void {
    if (!this.#reporters.delete(reporter)) return
    this.#loads -= reporter.loads.size
    reporter.loads.clear()
  }

  report(reporter: Reporter, loads: readonly ReportedLoad[], atMs: number): void {
    if (!this.#reporters.has(reporter)) return
    this.#turn(reporter, atMs)
    const elapsedMs = Math.max(1, atMs - reporter.reportedMs)
    reporter.reportedMs = atMs
    // Its own clock is the better one, as reports may wait on their way; one that tells none is measured here.
    reporter.nowMs += loads.find(({ sum }) => sum.intervalMs > 0)?.sum.intervalMs ?? elapsedMs
    for (const load of loads) {
      const kept = this.#keep(reporter, load)
      if (kept === undefined) continue
      kept.now.add(load.sum)
      if (kept.reportedMs !== atMs) kept.openConnections = kept.mtlsOpenConnections = 0
      kept.openConnections += load.openConnections
      kept.mtlsOpenConnections += load.mtlsOpenConnections
      kept.reportedMs = atMs
    }
    // What a report leaves out is idle: connections that are only kept for the next request.
    for (const kept of reporter.loads.values())
      if (kept.reportedMs !== atMs) kept.openConnections = kept.mtlsOpenConnections = 0
  }

  /** Everything that moved in the window that ends `atMs`. */
  snapshot(atMs: number): LiveMesh {
    const edges = new Map<string, EdgeSum & { readonly of: Pick<LiveEdge, 'source' | 'apex' | 'backend'> }>()
    const inbound = new Map<string, EdgeSum & { readonly of: Pick<LiveInbound, 'workload' | 'port'> }>()
    for (const reporter of this.#reporters) {
      this.#turn(reporter, atMs)
      const { source } = reporter
      const id = `${source.kind}/${source.namespace}/${source.name}`
      for (const [key, load] of reporter.loads) {
        const { target } = load
        if (target.inbound === undefined) {
          const { apex, backend } = target
          addTo(edges, `${id} ${key}`, { source, apex, backend }, load, reporter)
        } else addTo(inbound, `${id} ${key}`, { workload: source, port: target.inbound }, load, reporter)
      }
    }
    return {
      atMs,
      windowMs: this.windowMs,
      sidecars: [...this.#reporters].flatMap(({ sidecar }) => sidecar ?? []),
      edges: [...edges.values()].map((edge) => ({
        ...edge.of,
        ...figures(edge),
        openConnections: edge.openConnections,
      })),
      inbound: [...inbound.values()].map((entry) => ({ ...entry.of, ...figures(entry) })),
    }
  }

  #keep(reporter: Reporter, { apex, backend }: ReportedLoad): KeptLoad | undefined {
    const key = `${apex} ${backend}`
    const found = reporter.loads.get(key)
    if (found !== undefined) return found
    const target = targetOf(apex, backend)
    if (target === undefined) return undefined
    if (reporter.loads.size >= maxLoadsOfOne || this.#loads >= maxLoads) {
      this.overflowed++
      return undefined
    }
    const made: KeptLoad = {
      key,
      target,
      now: new LoadSum(),
      before: new LoadSum(),
      openConnections: 0,
      mtlsOpenConnections: 0,
      reportedMs: 0,
    }
    reporter.loads.set(key, made)
    this.#loads++
    return made
  }

  /** Begins the next half window where the one under way is over, and forgets what did not move in either. */
  #turn(reporter: Reporter, atMs: number): void {
    const halfMs = this.windowMs / 2
    const halves = Math.floor((atMs - reporter.halfBeganMs) / halfMs)
    if (halves < 1) return
    reporter.halfBeganMs += halves * halfMs
    reporter.beforeMs = halves === 1 ? reporter.nowMs : 0
    reporter.nowMs = 0
    for (const [key, load] of reporter.loads) {
      load.before = halves === 1 ? load.now : new LoadSum()
      load.now = new LoadSum()
      if (isIdle(load.before) && (load.openConnections === 0 || atMs - load.reportedMs > this.windowMs)) {
        reporter.loads.delete(key)
        this.#loads--
      }
    }
  }
}

function isIdle({ succeeded, failed, connections }: LoadSum): boolean {
  return succeeded + failed + connections === 0
}

/** undefined: names that are none of the mesh, as of a gateway's own clusters. */
function targetOf(apexName: string, backendName: string): Target | undefined {
  const inbound = parseInboundClusterName(apexName)
  if (inbound !== undefined) return { inbound }
  const [apex, backend] = [serviceOf(apexName), serviceOf(backendName)]
  return apex === undefined || backend === undefined ? undefined : { apex, backend }
}

function serviceOf(resource: string): LiveService | undefined {
  const parsed = parseServiceName(resource)
  return parsed && { namespace: parsed.namespace, name: parsed.service, port: parsed.port }
}

function addTo<Of>(
  all: Map<string, EdgeSum & { readonly of: Of }>,
  key: string,
  of: Of,
  load: KeptLoad,
  { nowMs, beforeMs }: Reporter,
): void {
  const entry = all.get(key) ?? {
    of,
    sum: new LoadSum(),
    perSecond: 0,
    openConnections: 0,
    mtlsOpenConnections: 0,
  }
  all.set(key, entry)
  const requests = load.now.succeeded + load.now.failed + load.before.succeeded + load.before.failed
  entry.sum.add(load.now)
  entry.sum.add(load.before)
  entry.perSecond += nowMs + beforeMs === 0 ? 0 : (requests * 1000) / (nowMs + beforeMs)
  entry.openConnections += load.openConnections
  entry.mtlsOpenConnections += load.mtlsOpenConnections
}

/** Connections that were opened before the window are told by those that are open. */
function shareOfMtls({ sum, openConnections, mtlsOpenConnections }: EdgeSum): number {
  const moved = sum.succeeded + sum.failed + sum.connections > 0
  return moved || openConnections === 0 ? mtlsRatio(sum) : Math.min(1, mtlsOpenConnections / openConnections)
}

function figures(entry: EdgeSum): Omit<LiveInbound, 'workload' | 'port'> {
  const { sum, perSecond } = entry
  return {
    requestsPerSecond: perSecond,
    successRatio: successRatio(sum),
    p50Ms: quantileMs(sum, 0.5),
    p95Ms: quantileMs(sum, 0.95),
    p99Ms: quantileMs(sum, 0.99),
    mtlsRatio: shareOfMtls(entry),
  }
}
