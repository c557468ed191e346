/** The load reporting service (LRS): asks everybody for all clusters, and passes what comes to the live picture. */
import type { handleBidiStreamingCall, ServerDuplexStream } from '@grpc/grpc-js'
import type { Messages } from '../../api/xds/messages.ts'
import type { Node } from '../../api/xds/types.ts'
import { toDuration } from '../../api/xds/duration.ts'
import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import type { Authenticator, WorkloadIdentity } from '../ca/authenticator.ts'
import type { Workload } from '../model/objects.ts'
import type { LiveMeshModel, Reporter } from './live-mesh.ts'
import { reportedLoad } from './load-report.ts'
import { reporterFacts } from './reporter-facts.ts'
import { readReports, reporterStreams } from './reporter-stream.ts'

type Request = Messages['envoy.service.load_stats.v3.LoadStatsRequest']
type Response = Messages['envoy.service.load_stats.v3.LoadStatsResponse']
type Call = ServerDuplexStream<Request, Response | Buffer>

export type LoadServiceParts = {
  readonly live: LiveMeshModel
  readonly clock: Clock
  readonly log: Log
  readonly trustDomain: string
  readonly workload: (namespace: string, pod: string) => Workload | undefined
}

/** Whoever is asked to report so much rarer or more often is told anew. */
const tellAgainAbove = 1.5

export type LoadHandlers = { readonly StreamLoadStats: handleBidiStreamingCall<Request, Response | Buffer> }

/** Handlers for one listener; without an authenticator clients are taken for what they say. */
export function loadHandlers(
  parts: LoadServiceParts,
  authenticator: Authenticator | undefined,
): LoadHandlers {
  return {
    StreamLoadStats: reporterStreams('load reports', parts.log, authenticator, (call: Call, identity) =>
      new LoadStream(call, identity, parts).start(),
    ),
  }
}

class LoadStream {
  readonly #call: Call
  readonly #identity: WorkloadIdentity | undefined
  readonly #parts: LoadServiceParts
  readonly #connectedAtMs: number
  #reporter: Reporter | undefined
  #toldMs = 0

  constructor(call: Call, identity: WorkloadIdentity | undefined, parts: LoadServiceParts) {
    this.#call = call
    this.#identity = identity
    this.#parts = parts
    this.#connectedAtMs = parts.clock.wallMs()
  }

  start(): void {
    const gone = (): void => {
      if (this.#reporter !== undefined) this.#parts.live.leave(this.#reporter)
      this.#reporter = undefined
    }
    readReports(this.#call, (request) => this.#receive(request), gone)
  }

  #receive({ node, clusterStats = [] }: Request): void {
    const { live, clock } = this.#parts
    const now = clock.wallMs()
    if (this.#reporter === undefined) {
      const { source, sidecar } = this.#facts(node)
      this.#reporter = live.join(source, sidecar, now)
    } else {
      if (node !== undefined) Object.assign(this.#reporter, this.#facts(node))
      live.report(this.#reporter, clusterStats.map(reportedLoad), now)
    }
    this.#tell()
  }

  #facts(node: Node | undefined): ReturnType<typeof reporterFacts> {
    const { trustDomain, workload } = this.#parts
    const connectedAtMs = this.#connectedAtMs
    return reporterFacts(node, this.#identity, { trustDomain, workload, connectedAtMs })
  }

  /** The interval, at first and when there are many more or fewer to listen to. */
  #tell(): void {
    const { intervalMs } = this.#parts.live
    const ratio = this.#toldMs === 0 ? Number.POSITIVE_INFINITY : intervalMs / this.#toldMs
    if (ratio < tellAgainAbove && ratio > 1 / tellAgainAbove) return
    this.#toldMs = intervalMs
    this.#call.write({ sendAllClusters: true, loadReportingInterval: toDuration(intervalMs) })
  }
}
