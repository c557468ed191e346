import type { GrpcStatusName } from './grpc-status.ts'

// What the control plane knows of the traffic of the last moments, from the loads that sidecars report (LRS).

/** A workload: the Deployment, StatefulSet, Job ... that a pod belongs to, or the pod itself. */
export interface LiveWorkload {
  readonly namespace: string
  readonly name: string
  /** `Deployment`, `StatefulSet`, `Job` ..., `Pod` where it has no owner. */
  readonly kind: string
}

/** A sidecar that is connected to the control plane. */
export interface LiveSidecar {
  readonly workload: LiveWorkload
  readonly pod: string
  /** SPIFFE id that it proved. */
  readonly identity: string
  readonly version: string
  readonly connectedAtMs: number
  /** When its certificate ends; null when it told none. */
  readonly certificateNotAfterMs: number | null
}

/** A port of a Service, as clients name it. */
export interface LiveService {
  readonly namespace: string
  readonly name: string
  readonly port: number
}

/** What one workload sent to one backend by the name of one service during the window. */
export interface LiveEdge {
  readonly source: LiveWorkload
  /** The service that the clients asked for. */
  readonly apex: LiveService
  /** The one that a split or route chose; the apex itself where nothing chose. */
  readonly backend: LiveService
  readonly requestsPerSecond: number
  /** 0 to 1; null when no request ended in the window. */
  readonly successRatio: number | null
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  readonly p99Ms: number | null
  /** Share of its requests and connections that went by mTLS, 0 to 1. */
  readonly mtlsRatio: number
  readonly openConnections: number
}

/** What one workload got on one of its ports, from clients with and without a sidecar. */
export interface LiveInbound {
  readonly workload: LiveWorkload
  readonly port: number
  readonly requestsPerSecond: number
  /** 0 to 1; null when no request ended in the window. */
  readonly successRatio: number | null
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  readonly p99Ms: number | null
  /** Share of its requests that came by mTLS, 0 to 1. */
  readonly mtlsRatio: number
}

/** The answer of `GET /live/mesh`: everything that moved in the last `windowMs`. */
export interface LiveMesh {
  readonly atMs: number
  readonly windowMs: number
  readonly sidecars: readonly LiveSidecar[]
  readonly edges: readonly LiveEdge[]
  readonly inbound: readonly LiveInbound[]
}

/** What a sidecar tells of an exchange that somebody looks at. Bodies are never part of it, nor are values of headers. */
export interface TapFacts {
  readonly atMs: number
  /** Seen by the client's sidecar or by the server's. */
  readonly direction: 'outbound' | 'inbound'
  readonly destination: string
  readonly tls: boolean
  readonly method: string
  readonly authority: string
  readonly path: string
  /** 0 when it ended without a reply. */
  readonly status: number
  /** `UNAVAILABLE`: what a gRPC call ended with; null: it was none. */
  readonly grpcStatus: GrpcStatusName | null
  readonly durationMs: number
  readonly requestBytes: number
  readonly replyBytes: number
  readonly flags: string
}

/** One exchange that a tap saw: a line of `GET /live/tap`. */
export interface TappedExchange extends TapFacts {
  readonly source: LiveWorkload
  readonly sourcePod: string
  readonly endpoint: string | null
  readonly peer: string | null
  readonly traceId: string | null
  /** As `weft stat` counts it: no reply, a status of 500 or above, or of a call one that says that the server failed. */
  readonly failed: boolean
}

/** A line of `GET /live/tap` that is no exchange: so many more matched and were not shown, because of whose limit. */
export interface TapDrops {
  readonly dropped: number
  readonly by: 'sidecar' | 'viewer'
}
