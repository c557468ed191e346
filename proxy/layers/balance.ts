/** The innermost layer: picks an endpoint, borrows a connection, sends, and learns from how long it took. */
import type { CircuitBreaker } from '../cluster/circuit-breaker.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Endpoint } from '../cluster/endpoint.ts'
import { overflow, QueuedExchange } from '../cluster/queued-exchange.ts'
import type { Exchange, Handler, Receiver, Reply } from '../exchange.ts'
import { UpstreamFailure } from '../upstream-failure.ts'

const noEndpoints: readonly Endpoint[] = []

/** Chooses the cluster of an exchange, the same one for all its attempts. Throws WeftError when there is none. */
export type ChooseCluster = (x: Exchange) => Cluster

/** One request at one endpoint, from the pick to the reply's head. */
class Attempt implements Receiver {
  readonly #cluster: Cluster
  readonly #endpoint: Endpoint
  readonly #receiver: Receiver
  readonly #nowMs: () => number
  readonly #startedMs: number
  /** Set when the cluster's limits count this attempt. */
  readonly #breaker: CircuitBreaker | undefined
  readonly #isRetry: boolean

  constructor(
    x: Exchange,
    cluster: Cluster,
    endpoint: Endpoint,
    receiver: Receiver,
    nowMs: () => number,
    breaker: CircuitBreaker | undefined,
  ) {
    this.#cluster = cluster
    this.#endpoint = endpoint
    this.#receiver = receiver
    this.#nowMs = nowMs
    this.#startedMs = x.nowMs
    this.#breaker = breaker
    this.#isRetry = x.attempts > 1
  }

  start(x: Exchange): void {
    const { pool } = this.#endpoint
    this.#endpoint.begin(this.#startedMs)
    const idle = x.freshConnection ? undefined : pool.takeIdle(this.#startedMs)
    if (idle === undefined) void this.#connect(x)
    else idle.send(x, this)
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
      const connection = await this.#endpoint.pool.connect()
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

  onReply(x: Exchange, reply: Reply): void {
    const endpoint = this.#endpoint
    const { outlier } = this.#cluster
    const now = this.#nowMs()
    x.nowMs = now
    if (reply.status >= 500) endpoint.observeFailure(now)
    else endpoint.observe(now - this.#startedMs, now)
    if (outlier.watching) outlier.replied(endpoint, reply.status, this.#startedMs, now)
    if (reply.body.complete) this.#leave()
    else reply.body.onComplete(() => this.#leave())
    this.#receiver.onReply(x, reply)
  }

  onFailure(x: Exchange, error: unknown): void {
    x.nowMs = this.#nowMs()
    this.#leave()
    this.#learn(x, error)
    this.#receiver.onFailure(x, error)
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

  #leave(): void {
    this.#endpoint.inFlight--
    this.#breaker?.leave(this.#isRetry)
  }
}

/** What a failure says of the endpoint; a client that left says only how long it waited. */
function failureOf(x: Exchange, error: unknown): 'unreachable' | 'cancelled' | 'failed' {
  if (!(error instanceof UpstreamFailure)) return 'failed'
  const { kind, cause } = error
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
  new Attempt(x, cluster, endpoint, receiver, nowMs, breaker).start(x)
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
  if (breaker.hasConnection) {
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
    const { breaker } = cluster
    if (breaker === undefined) send(x, receiver, cluster, nowMs, undefined)
    else sendGuarded(x, receiver, cluster, nowMs, breaker)
  }
}
