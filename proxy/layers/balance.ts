/** The innermost layer: picks an endpoint, borrows a connection, sends, and learns from how long it took. */
import type { Cluster } from '../cluster/cluster.ts'
import type { Endpoint } from '../cluster/endpoint.ts'
import type { Exchange, Handler, Receiver, Reply } from '../exchange.ts'
import type { ClientConnection } from '../http1/client-connection.ts'
import { UpstreamFailure } from '../upstream-failure.ts'

const noEndpoints: readonly Endpoint[] = []

/** Chooses the cluster of an exchange, the same one for all its attempts. Throws WeftError when there is none. */
export type ChooseCluster = (x: Exchange) => Cluster

/** A client that left says nothing of the endpoint; a failed connection was taken note of already. */
function tellsOfTheApplication(error: unknown): boolean {
  if (!(error instanceof UpstreamFailure)) return true
  const { kind } = error
  return kind !== 'cancelled' && kind !== 'connect' && kind !== 'connect-timeout' && kind !== 'tls'
}

/** A new connection; what became of it tells whether the endpoint can be reached. */
async function connectionTo(
  endpoint: Endpoint,
  startedMs: number,
  nowMs: () => number,
): Promise<ClientConnection> {
  endpoint.reachability.trying(startedMs)
  try {
    const connection = await endpoint.pool.connect()
    endpoint.reachability.reached()
    return connection
  } catch (error) {
    endpoint.connectFailed(startedMs, nowMs())
    throw error
  }
}

/** One request at one endpoint, from the pick to the reply's head. */
class Attempt implements Receiver {
  readonly #endpoint: Endpoint
  readonly #receiver: Receiver
  readonly #nowMs: () => number
  readonly #startedMs: number

  constructor(endpoint: Endpoint, receiver: Receiver, nowMs: () => number, startedMs: number) {
    this.#endpoint = endpoint
    this.#receiver = receiver
    this.#nowMs = nowMs
    this.#startedMs = startedMs
  }

  start(x: Exchange): void {
    const { pool } = this.#endpoint
    this.#endpoint.inFlight++
    const idle = x.freshConnection ? undefined : pool.takeIdle(this.#startedMs)
    if (idle === undefined) void this.#connect(x)
    else idle.send(x, this)
  }

  async #connect(x: Exchange): Promise<void> {
    try {
      const connection = await connectionTo(this.#endpoint, this.#startedMs, this.#nowMs)
      // The client may have left while we were connecting.
      if (x.aborted || x.timedOut) {
        connection.release()
        throw new UpstreamFailure('cancelled', 'the client went away')
      }
      connection.send(x, this)
    } catch (error) {
      this.onFailure(x, error)
    }
  }

  onReply(x: Exchange, reply: Reply): void {
    const endpoint = this.#endpoint
    const now = this.#nowMs()
    x.nowMs = now
    if (reply.status >= 500) endpoint.observeFailure(now)
    else endpoint.observe(now - this.#startedMs, now)
    if (reply.body.complete) endpoint.inFlight--
    else reply.body.onComplete(() => endpoint.inFlight--)
    this.#receiver.onReply(x, reply)
  }

  onFailure(x: Exchange, error: unknown): void {
    x.nowMs = this.#nowMs()
    this.#endpoint.inFlight--
    if (tellsOfTheApplication(error)) this.#endpoint.observeFailure(x.nowMs)
    this.#receiver.onFailure(x, error)
  }
}

/** The picked endpoint rests: another one, unless all of those left do. */
function pickAwake(cluster: Cluster, picked: Endpoint, tried: readonly Endpoint[], now: number): Endpoint {
  const avoid = cluster.endpoints.filter((other) => other.reachability.rests(now) || tried.includes(other))
  if (avoid.length === cluster.endpoints.length) return picked
  return cluster.picker.pick(now, avoid) ?? picked
}

/** Of the exchange's cluster; an earlier attempt's endpoints come last. Throws UpstreamFailure 'no-endpoint'. */
function pickEndpoint(x: Exchange, cluster: Cluster): Endpoint {
  if (x.endpoint !== undefined) (x.tried ??= []).push(x.endpoint)
  const tried = x.tried ?? noEndpoints
  const { preferred } = x
  if (preferred !== undefined && tried.length === 0 && !preferred.reachability.rests(x.nowMs))
    return preferred
  const picked = cluster.picker.pick(x.nowMs, tried)
  if (picked === undefined)
    throw new UpstreamFailure('no-endpoint', `no endpoint of ${cluster.name} is ready`)
  return picked.reachability.rests(x.nowMs) ? pickAwake(cluster, picked, tried, x.nowMs) : picked
}

export function balance(choose: ChooseCluster, nowMs: () => number): Handler {
  return function sendToEndpoint(x, receiver) {
    const cluster = (x.cluster ??= choose(x))
    x.clusterName = cluster.name
    const endpoint = pickEndpoint(x, cluster)
    x.endpoint = endpoint
    x.attempts++
    x.upstreamAddress = endpoint.address
    x.upstreamPrincipal = endpoint.config.identity
    x.stats = endpoint.stats
    new Attempt(endpoint, receiver, nowMs, x.nowMs).start(x)
  }
}
