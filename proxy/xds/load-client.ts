/** Reports load by LRS over the channel to the control plane, as often as that asks for. */
import type { Messages } from '../../api/xds/messages.ts'
import { loadReportingService } from '../../api/xds/services.ts'
import type { Timer } from '../../core/clock.ts'
import type { LoadDifferences } from '../telemetry/load-differences.ts'
import type { CompanionParts } from './companion.ts'
import { CompanionStream } from './companion-stream.ts'
import { durationMs } from './duration.ts'
import { clusterStats } from './load-report.ts'

type Request = Messages['envoy.service.load_stats.v3.LoadStatsRequest']
type Response = Messages['envoy.service.load_stats.v3.LoadStatsResponse']

export type LoadClientOptions = CompanionParts & { readonly differences: LoadDifferences }

/** A control plane that asks for more often than this is mistaken. */
const shortestIntervalMs = 100

export class LoadClient {
  readonly #options: LoadClientOptions
  readonly stream: CompanionStream<Request, Response>
  #timer: Timer | undefined
  #intervalMs = 0
  #sinceMs = 0
  #node: string | undefined

  constructor(options: LoadClientOptions) {
    this.#options = options
    this.stream = new CompanionStream({
      method: loadReportingService.StreamLoadStats,
      what: 'load reports',
      clock: options.clock,
      log: options.log,
      onOpen: () => this.#begin(),
      onMessage: ({ loadReportingInterval }) => {
        this.#intervalMs = Math.max(shortestIntervalMs, durationMs(loadReportingInterval) ?? 0)
        this.#schedule()
      },
      onClose: () => this.#timer?.cancel(),
    })
  }

  /** Reports begin now: what was counted while nobody listened is no load of an interval. */
  #begin(): void {
    this.#node = undefined
    this.#options.differences.take()
    this.#sinceMs = this.#options.clock.monotonicMs()
    this.#write([])
  }

  #schedule(): void {
    this.#timer?.cancel()
    this.#timer = this.#options.clock.after(this.#intervalMs, () => this.#report())
  }

  #report(): void {
    const now = this.#options.clock.monotonicMs()
    this.#write(clusterStats(this.#options.differences.take(), now - this.#sinceMs))
    this.#sinceMs = now
    this.#schedule()
  }

  /** Says who we are in the first request, and again when something of that has changed. */
  #write(stats: NonNullable<Request['clusterStats']>): void {
    const node = this.#options.node()
    const text = JSON.stringify(node)
    this.stream.write({ ...(text === this.#node ? {} : { node }), clusterStats: stats })
    this.#node = text
  }
}
