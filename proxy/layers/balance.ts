/** The innermost layer: picks an endpoint, borrows a connection, sends, and learns from how long it took. */
import type { CircuitBreaker } from '../cluster/circuit-breaker.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Endpoint } from '../cluster/endpoint.ts'
import { overflow, QueuedExchange } from '../cluster/queued-exchange.ts'
import type { Exchange, Handler, Receiver, Reply } from '../exchange.ts'
import { statusAtEnd, statusInHead } from '../grpc/grpc-call.ts'
import { formatGrpcTimeout } from '../grpc/grpc-timeout.ts'
import { httpStatusOf } from '../grpc/status-codes.ts'
import type { ClientConnection } from '../http1/client-connection.ts'
import { checkHandshake } from '../http2/web-socket.ts'
import type { Http2Pool, Http2Sender } from '../pool/http2-pool.ts'
import type { AttemptTimes, Timeline } from '../telemetry/timeline.ts'
import { UpstreamFailure } from '../upstream-failure.ts'

const noEndpoints: readonly Endpoint[] = []

/** Chooses the cluster of an exchange, the same one for all its attempts. Throws WeftError when there is none. */
export type ChooseCluster = (x: Exchange) => Cluster

/** One request at one endpoint, from the pick to the reply's head. */
class Attempt implements Http2Sender {
  readonly #cluster: Cluster
  readonly #endpoint: Endpoint
  readonly #receiver: Receiver
  readonly #nowMs: () => number
  readonly #startedMs: number
  /** Set when the cluster's limits count this attempt. */
  readonly #breaker: CircuitBreaker | undefined
  readonly #isRetry: boolean
  /** Set where somebody wants to know. */
  readonly #times: AttemptTimes | undefined

  constructor(
    x: Exchange,
    cluster: Cluster,
    endpoint: Endpoint,
    receiver: Receiver,
    nowMs: () => number,
    breaker: CircuitBreaker | undefined,
    times: AttemptTimes | undefined,
  ) {
    this.#cluster = cluster
    this.#endpoint = endpoint
    this.#receiver = receiver
    this.#nowMs = nowMs
    this.#startedMs = x.nowMs
    this.#breaker = breaker
    this.#isRetry = x.attempts > 1
    this.#times = times
  }

  start(x: Exchange): void {
    this.#endpoint.begin(this.#startedMs)
    const shared = sharedPool(x, this.#cluster, this.#endpoint)
    const isTried =
      shared !== undefined &&
      (shared.speaks(this.#startedMs, x.grpc !== undefined) || this.#cluster.config.http2 === true)
    if (!isTried) {
      this.#startHttp1(x)
      return
    }
    if (this.#times !== undefined) this.#times.sentMs = this.#startedMs
    shared.send(x, this)
  }

  onOpened(acceptedMs: number | undefined): void {
    const now = this.#nowMs()
    this.#cluster.outlier.connected(this.#endpoint, now)
    if (this.#times === undefined) return
    this.#times.sentMs = now
    this.#times.connectedMs = acceptedMs === undefined ? now : Math.max(acceptedMs, this.#startedMs)
    if (acceptedMs !== undefined) this.#times.securedMs = now
  }

  /** What goes over HTTP/2 only is not tried otherwise. */
  onNotSpoken(x: Exchange): void {
    if (this.#cluster.config.http2 === true)
      this.onFailure(x, new UpstreamFailure('connect', `${this.#endpoint.address} does not speak HTTP/2`))
    else if (x.aborted) this.onFailure(x, new UpstreamFailure('cancelled', 'the client has gone'))
    else this.#startHttp1(x)
  }

  #startHttp1(x: Exchange): void {
    const { pool } = this.#endpoint
    const idle = x.freshConnection ? undefined : pool.takeIdle(this.#startedMs)
    if (idle === undefined) {
      void this.#connect(x)
      return
    }
    if (this.#times !== undefined) this.#times.sentMs = this.#startedMs
    idle.send(x, this)
  }

  async #connect(x: Exchange): Promise<void> {
    const { breaker, connections, outlier } = this.#cluster
    // At the limit, an idle connection to another endpoint makes room: somebody has to be sent to where it belongs.
    if (breaker !== undefined && connections.open >= breaker.limits.maxConnections) this.#cluster.closeIdle()
    let cancelled = false
    // Whoever gives up meanwhile is told at once; the connection serves somebody else.
    const cancel = (reason: Error): void => {
      cancelled = true
      if (x.cancel === cancel) x.cancel = undefined
      this.onFailure(x, new UpstreamFailure('cancelled', reason.message, {}, reason))
    }
    x.cancel = cancel
    try {
      const times = this.#times
      const { pool } = this.#endpoint
      const connection = await (times === undefined ? pool.connect() : this.#connectTimed(times))
      outlier.connected(this.#endpoint, this.#nowMs())
      if (cancelled) {
        connection.release()
        return
      }
      connection.send(x, this)
    } catch (error) {
      if (cancelled) {
        outlier.connectFailed(this.#endpoint, this.#startedMs, this.#nowMs())
        return
      }
      if (x.cancel === cancel) x.cancel = undefined
      this.onFailure(x, error)
    }
  }

  async #connectTimed(times: AttemptTimes): Promise<ClientConnection> {
    const connection = await this.#endpoint.pool.connect(() => {
      times.connectedMs = this.#nowMs()
    })
    times.sentMs = this.#nowMs()
    // Nobody told: it was in clear, and is ready when it is accepted.
    if (times.connectedMs === 0) times.connectedMs = times.sentMs
    else times.securedMs = times.sentMs
    return connection
  }

  onReply(x: Exchange, reply: Reply): void {
    const endpoint = this.#endpoint
    const { outlier } = this.#cluster
    const now = this.#nowMs()
    x.nowMs = now
    if (this.#times !== undefined) {
      this.#times.repliedMs = now
      this.#times.status = reply.status
    }
    if (x.grpc !== undefined) this.#learnOfCall(reply, now)
    else {
      if (reply.status >= 500) endpoint.observeFailure(now)
      else endpoint.observe(now - this.#startedMs, now)
      if (outlier.watching) outlier.replied(endpoint, reply.status, this.#startedMs, now)
    }
    if (reply.body.complete) this.#end(x, reply)
    else reply.body.onComplete(() => this.#end(x, reply))
    this.#receiver.onReply(x, reply)
  }

  onFailure(x: Exchange, error: unknown): void {
    if (this.#goesOnOverHttp1(x, error)) {
      sharedPool(x, this.#cluster, this.#endpoint)?.http1Wanted()
      this.#startHttp1(x)
      return
    }
    x.nowMs = this.#nowMs()
    if (this.#times !== undefined) this.#times.failure = wordFor(error)
    this.#leave()
    this.#learn(x, error)
    this.#receiver.onFailure(x, error)
  }

  /** The endpoint has not looked at it, and wants it over HTTP/1.1, which nobody has said that it does not speak. */
  #goesOnOverHttp1(x: Exchange, error: unknown): boolean {
    if (!(error instanceof UpstreamFailure) || error.kind !== 'http1-required') return false
    if (this.#cluster.config.http2 === true || x.grpc !== undefined || x.aborted || x.timedOut) return false
    return !error.replyStarted && (x.body.isEmpty || x.body.replayable)
  }

  #learn(x: Exchange, error: unknown): void {
    const endpoint = this.#endpoint
    const { outlier } = this.#cluster
    const now = x.nowMs
    switch (failureOf(x, error)) {
      case 'unreachable':
        outlier.connectFailed(endpoint, this.#startedMs, now)
        return
      case 'cancelled':
        // It took so long at least.
        if (now - this.#startedMs > endpoint.latencyMs(now)) endpoint.observe(now - this.#startedMs, now)
        if (outlier.watching) outlier.cancelled(endpoint, this.#startedMs, now)
        return
      case 'failed':
        endpoint.observeFailure(now)
        if (outlier.watching) outlier.broken(endpoint, this.#startedMs, now)
    }
  }

  /** As of a reply with the status that the call's own stands for; that of one with messages comes at their end. */
  #learnOfCall(reply: Reply, now: number): void {
    const inHead = statusInHead(reply)
    // A stream may last for hours: how long it takes until it begins is what tells of the load.
    if (inHead === undefined || httpStatusOf(inHead) < 500) this.#endpoint.observe(now - this.#startedMs, now)
    if (inHead !== undefined) this.#judge(httpStatusOf(inHead), now)
  }

  #judge(status: number, atMs: number): void {
    const endpoint = this.#endpoint
    const { outlier } = this.#cluster
    if (status >= 500) endpoint.observeFailure(atMs)
    if (outlier.watching) outlier.replied(endpoint, status, this.#startedMs, atMs)
  }

  /** The reply is over; what broke off says nothing of who broke it. */
  #end(x: Exchange, reply: Reply): void {
    if (x.grpc !== undefined && reply.body.complete && statusInHead(reply) === undefined)
      this.#judge(httpStatusOf(statusAtEnd(reply)), this.#nowMs())
    this.#leave()
  }

  #leave(): void {
    if (this.#times !== undefined) this.#times.endedMs = this.#nowMs()
    this.#endpoint.inFlight--
    this.#breaker?.leave(this.#isRetry)
  }
}

/** As it came, unless the endpoints speak one protocol only; an upgrade is HTTP/1's where that is spoken. */
function wantsHttp2(x: Exchange, { config }: Cluster): boolean {
  return config.http2 === true || (x.http2 && config.http1 !== true && x.upgrade === undefined)
}

/** The pool whose connections many exchanges share; undefined: each has one of its own, of HTTP/1. */
function sharedPool(x: Exchange, cluster: Cluster, endpoint: Endpoint): Http2Pool | undefined {
  if (wantsHttp2(x, cluster)) return endpoint.http2
  return x.upgrade === undefined ? endpoint.multiplexed : undefined
}

function wordFor(error: unknown): string {
  if (!(error instanceof UpstreamFailure)) return 'error'
  const { kind, cause } = error
  // Whoever called it off says why.
  return kind === 'cancelled' && cause instanceof UpstreamFailure ? cause.kind : kind
}

/** What a failure says of the endpoint; a client that left says only how long it waited. */
function failureOf(x: Exchange, error: unknown): 'unreachable' | 'cancelled' | 'failed' {
  if (!(error instanceof UpstreamFailure)) return 'failed'
  const { kind, cause } = error
  // It is well, and has said what it does not do.
  if (kind === 'no-tunnel' || kind === 'http1-required') return 'cancelled'
  if (kind === 'connect' || kind === 'connect-timeout' || kind === 'tls') return 'unreachable'
  if (kind !== 'cancelled') return 'failed'
  const timedOut = x.timedOut || (cause instanceof UpstreamFailure && cause.kind === 'timeout')
  return timedOut ? 'failed' : 'cancelled'
}

/** Of the exchange's cluster; an earlier attempt's endpoints come last. Throws UpstreamFailure 'no-endpoint'. */
function pickEndpoint(x: Exchange, cluster: Cluster): Endpoint {
  if (x.endpoint !== undefined) (x.tried ??= []).push(x.endpoint)
  const tried = x.tried ?? noEndpoints
  const { preferred } = x
  if (preferred !== undefined && tried.length === 0 && preferred.health.inUse) return preferred
  const picked = cluster.pick(x.nowMs, tried, x.hash)
  if (picked !== undefined)
    return cluster.breaker === undefined ? picked : cluster.warmer(picked, tried, x.nowMs)
  const reason = cluster.available ? 'is left in use' : 'is ready'
  throw new UpstreamFailure('no-endpoint', `no endpoint of ${cluster.name} ${reason}`)
}

function recordAttempt(x: Exchange, timeline: Timeline, cluster: Cluster, endpoint: Endpoint): AttemptTimes {
  const isFirst = timeline.attempts.length === 0
  const times = timeline.begin(cluster.name, endpoint.address, endpoint.config.identity, x.nowMs)
  if (isFirst) return times
  times.reason = x.retryReason
  x.onAnotherAttempt?.(x, times)
  return times
}

/** Picks and sends; `breaker` has counted the exchange in already. */
function send(
  x: Exchange,
  receiver: Receiver,
  cluster: Cluster,
  nowMs: () => number,
  breaker: CircuitBreaker | undefined,
): void {
  const endpoint = pickEndpoint(x, cluster)
  x.endpoint = endpoint
  x.attempts++
  x.upstreamAddress = endpoint.address
  x.upstreamPrincipal = endpoint.config.identity
  x.stats = endpoint.statsFor(x.apex)
  if (x.grpc !== undefined && x.grpc.deadlineMs !== Number.POSITIVE_INFINITY)
    // What is left of it: each hop and each attempt has less.
    x.headers.set('grpc-timeout', formatGrpcTimeout(x.grpc.deadlineMs - nowMs()))
  const times = x.timeline === undefined ? undefined : recordAttempt(x, x.timeline, cluster, endpoint)
  new Attempt(x, cluster, endpoint, receiver, nowMs, breaker, times).start(x)
}

/** As `send`, within the cluster's limits: what is above them fails, and waits before that if it may. */
function sendGuarded(
  x: Exchange,
  receiver: Receiver,
  cluster: Cluster,
  nowMs: () => number,
  breaker: CircuitBreaker,
): void {
  const isRetry = x.attempts > 0
  const limit = breaker.enter(isRetry)
  if (limit !== undefined) throw overflow(cluster.name, limit)
  const sendOrLeave = (): void => {
    try {
      send(x, receiver, cluster, nowMs, breaker)
    } catch (error) {
      // No attempt has taken the count over.
      breaker.leave(isRetry)
      throw error
    }
  }
  // Many share a connection there, and the pool knows how many may be opened.
  if (breaker.hasConnection || wantsHttp2(x, cluster)) {
    sendOrLeave()
    return
  }
  const queued = new QueuedExchange(x, receiver, cluster.name, {
    forget: () => breaker.forget(queued),
    leave: () => breaker.leave(isRetry),
    proceed: () => {
      x.nowMs = nowMs()
      sendOrLeave()
    },
  })
  if (breaker.wait(queued)) return
  breaker.leave(isRetry)
  throw overflow(cluster.name, 'pending')
}

export function balance(choose: ChooseCluster, nowMs: () => number): Handler {
  return function sendToEndpoint(x, receiver) {
    const cluster = (x.cluster ??= choose(x))
    x.clusterName = cluster.name
    if (x.upgrade !== undefined && cluster.config.http2 === true) checkHandshake(x)
    const { breaker } = cluster
    if (breaker === undefined) send(x, receiver, cluster, nowMs, undefined)
    else sendGuarded(x, receiver, cluster, nowMs, breaker)
  }
}
