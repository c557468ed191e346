/** One request and its reply in flight: what the codecs make and the layers read. */
import type { Buffer } from 'node:buffer'
import type { errorCodes } from '../core/error-codes.ts'
import type { PeerAccess } from './authz/peer-access.ts'
import type { Body, BodyLength } from './body.ts'
import type { Cluster } from './cluster/cluster.ts'
import type { Endpoint } from './cluster/endpoint.ts'
import type { GrpcCall } from './grpc/grpc-call.ts'
import type { HeaderList } from './header-list.ts'
import type { RetryReason } from './retry/retry-policy.ts'
import type { SpliceSide, SpliceWatch } from './tcp/splice.ts'
import type { GoldenStats } from './telemetry/golden-stats.ts'
import type { StatsByName } from './telemetry/stats-by-name.ts'
import type { AttemptTimes, Timeline } from './telemetry/timeline.ts'

export type Direction = 'inbound' | 'outbound'

/** What is known of the connection that a request came on; one object for all its requests. */
export type Downstream = {
  readonly direction: Direction
  readonly peerAddress: string
  readonly peerPort: number
  /** The connection's transport: mesh mTLS, or in clear. */
  readonly meshTls: boolean
  /** The peer's SPIFFE id, proven by its certificate; undefined without mesh mTLS. */
  readonly principal: string | undefined
  /** `address:port` the client dialled (redirected), or undefined when it speaks to us as to a proxy. */
  readonly originalDestination: string | undefined
  /** The application's port that an inbound listener serves; 0 on the outbound side. */
  readonly applicationPort: number
  /** Where this connection's exchanges are counted; undefined: by the endpoint that answered. */
  readonly stats: GoldenStats | undefined
  /** How the application is told who the client is; undefined: nobody knows. */
  readonly identity?: FieldLines | undefined
  /** What the rules of access have found out about the peer; the layer's own. */
  access?: PeerAccess | undefined
}

/** Header fields as they are written, for `HeaderList.appendLines`. */
export type FieldLines = { readonly lines: string; readonly mask: number }

type Answering = Extract<(typeof errorCodes)[keyof typeof errorCodes], { readonly http: unknown }>

/** Why a reply was made here instead of by the application: Envoy's response flags, for logs and metrics. */
export type ResponseFlag = '' | 'DI' | Answering['http']['flag']

/** Why no further attempt was made although one was asked for. */
export type RetryStop = '' | 'limit' | 'budget' | 'overflow' | 'body'

/** A sampled or propagated trace context (W3C or B3), ids in lower-case hex. */
export type TraceContext = {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly sampled: boolean
  /** Sampled, and to be kept whatever the collector samples (B3). */
  readonly debug: boolean
}

/** One request in flight. Fields are declared once, so that all exchanges have one shape. */
export class Exchange {
  readonly downstream: Downstream
  readonly method: string
  /** As the client wrote it, for logs and matching. */
  readonly requestTarget: string
  /** As it is sent on: a route may rewrite it. */
  target: string
  readonly authority: string
  readonly absoluteForm: boolean
  readonly headers: HeaderList
  readonly body: Body
  readonly acceptsTrailers: boolean
  readonly upgrade: string | undefined
  readonly startedAtMs: number
  /** When the last thing happened to it: kept here, so that a layer need not ask the clock once more. */
  nowMs: number
  /** It came over HTTP/2, and goes on so where the upstream speaks that. */
  http2 = false
  /** The client sends its body once it is told to (Expect: 100-continue). */
  expectsContinue = false
  /** Decisions, filled in on the way down. */
  destination = ''
  /** The service that the destination is a name of, as the configuration calls it; empty: none of the mesh. */
  apex = ''
  routeName = ''
  clusterName = ''
  /** The rule of access that decided on it, and one that is only to tell of it; empty: none. */
  accessRule = ''
  auditRule = ''
  /** `address:port` of the endpoint of the last attempt. */
  upstreamAddress = ''
  /** The endpoint's principal, when it was reached over mesh mTLS. */
  upstreamPrincipal: string | undefined = undefined
  attempts = 0
  /** Why the last attempt beyond the first one was made, and why there was none after it. */
  retryReason: RetryReason | '' = ''
  retryStop: RetryStop = ''
  /** The cluster chosen, the same for all attempts. */
  cluster: Cluster | undefined = undefined
  /** The endpoint of the last attempt, and those of the ones before. */
  endpoint: Endpoint | undefined = undefined
  /** The endpoint that the client's session is with. */
  preferred: Endpoint | undefined = undefined
  tried: Endpoint[] | undefined = undefined
  /** For balancers that keep equal requests together; prepared by the hash layer. */
  hash: number | undefined = undefined
  /** Where the exchange is counted; undefined while no endpoint was picked. */
  stats: GoldenStats | undefined = undefined
  /** Where it is counted by its route; undefined: nowhere. */
  ruleStats: StatsByName | undefined = undefined
  /** An idle connection failed it: idle ones are not tried again, they may be as dead. */
  freshConnection = false
  /** The route's time is up; late results are not wanted. */
  timedOut = false
  /** What it is as a gRPC call; undefined: it is none. */
  grpc: GrpcCall | undefined = undefined
  flag: ResponseFlag = ''
  trace: TraceContext | undefined = undefined
  /** What happened when; undefined: nobody wants to know. */
  timeline: Timeline | undefined = undefined
  /** Told of each attempt after the first one before it is sent. */
  onAnotherAttempt: ((x: Exchange, attempt: AttemptTimes) => void) | undefined = undefined
  /** Set while something upstream can be cancelled. */
  cancel: ((reason: Error) => void) | undefined = undefined
  /** Passes an interim (1xx) reply on at once; undefined when the client cannot take one. */
  interim: ((status: number, headers: HeaderList) => void) | undefined = undefined
  /** An interim reply other than 100 went out to the client: what it has seen cannot be taken back. */
  interimPassed = false
  /** The client went away; nothing more is to be done for it. */
  aborted = false
  #doneHooks: ((x: Exchange, reply: Reply | undefined, sentBytes: number) => void)[] | undefined = undefined

  constructor(
    downstream: Downstream,
    request: {
      readonly method: string
      readonly target: string
      readonly authority: string
      readonly absoluteForm: boolean
      readonly headers: HeaderList
      readonly acceptsTrailers: boolean
      readonly upgrade: string | undefined
    },
    body: Body,
    startedAtMs: number,
  ) {
    this.downstream = downstream
    this.method = request.method
    this.requestTarget = this.target = request.target
    this.authority = request.authority
    this.absoluteForm = request.absoluteForm
    this.headers = request.headers
    this.acceptsTrailers = request.acceptsTrailers
    this.upgrade = request.upgrade
    this.body = body
    this.startedAtMs = this.nowMs = startedAtMs
  }

  /** The same request as an exchange of its own, for an attempt beside the one under way. */
  fork(): Exchange {
    // Its own headers: each attempt has a span of its own, and these name it.
    const { method, target, authority, absoluteForm, acceptsTrailers, upgrade } = this
    const headers = this.headers.copy()
    const request = { method, target, authority, absoluteForm, headers, acceptsTrailers, upgrade }
    const twin = new Exchange(this.downstream, request, this.body, this.startedAtMs)
    twin.http2 = this.http2
    twin.nowMs = this.nowMs
    twin.attempts = this.attempts
    twin.destination = this.destination
    twin.apex = this.apex
    twin.routeName = this.routeName
    twin.cluster = this.cluster
    twin.hash = this.hash
    twin.grpc = this.grpc
    twin.trace = this.trace
    twin.timeline = this.timeline
    twin.onAnotherAttempt = this.onAnotherAttempt
    return twin
  }

  /** Takes over what an attempt made by `twin` has found. */
  adopt(twin: Exchange): void {
    this.nowMs = twin.nowMs
    this.clusterName = twin.clusterName
    this.upstreamAddress = twin.upstreamAddress
    this.upstreamPrincipal = twin.upstreamPrincipal
    if (this.endpoint !== undefined) (this.tried ??= []).push(this.endpoint)
    this.endpoint = twin.endpoint
    this.stats = twin.stats
    // Asked then, not copied: a connection that is done with the twin takes back its own.
    this.cancel = (reason) => twin.cancel?.(reason)
  }

  /** Runs `hook` when the reply's last byte was written, or the exchange broke off (reply undefined or incomplete). */
  whenDone(hook: (x: Exchange, reply: Reply | undefined, sentBytes: number) => void): void {
    if (this.#doneHooks === undefined) this.#doneHooks = [hook]
    else this.#doneHooks.push(hook)
  }

  /** For the codec that made the exchange: once, at its end. */
  done(reply: Reply | undefined, sentBytes: number): void {
    const hooks = this.#doneHooks
    if (hooks === undefined) return
    for (const hook of hooks) hook(this, reply, sentBytes)
  }

  /** For the codec that made the exchange: the client has gone. */
  abort(reason: Error): void {
    if (this.aborted) return
    this.aborted = true
    if (this.flag === '') this.flag = 'DC'
    this.cancel?.(reason)
  }
}

/** What an accepted upgrade or CONNECT hands over: what carries the upstream's bytes, and those that it has sent already. */
export interface Tunnel {
  /** Gives up the upstream connection; from here on its bytes belong to the caller, who tells `watch` of them. */
  takeWire(): {
    readonly wire: SpliceSide
    readonly early: Buffer
    readonly watch?: SpliceWatch
  }
}

/** A reply's head and body. Layers may change `headers` before the codec writes it. */
export class Reply {
  readonly status: number
  readonly reason: string
  readonly headers: HeaderList
  readonly body: Body
  /** Set on a 101, and on the 200 to a CONNECT: what becomes of the connection. */
  readonly tunnel: Tunnel | undefined

  constructor(status: number, reason: string, headers: HeaderList, body: Body, tunnel?: Tunnel) {
    this.status = status
    this.reason = reason
    this.headers = headers
    this.body = body
    this.tunnel = tunnel
  }

  get bodyLength(): BodyLength {
    return this.body.length
  }
}

/** Who is told how an exchange came out, once: with a reply's head (bodies flow outside of it), or with why there is none. */
export interface Receiver {
  onReply(x: Exchange, reply: Reply): void
  onFailure(x: Exchange, error: unknown): void
}

/**
 * Answers one exchange: tells `receiver`, perhaps before it returns. What it throws is a failure too. Calls and not
 * promises, because every hop of every request would pay for the queue.
 */
export type Handler = (x: Exchange, receiver: Receiver) => void

/** Runs `handler`; what it throws is told like any other failure. */
export function handle(handler: Handler, x: Exchange, receiver: Receiver): void {
  try {
    handler(x, receiver)
  } catch (error) {
    receiver.onFailure(x, error)
  }
}
