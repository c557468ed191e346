/** The innermost layer: picks an endpoint, borrows a connection, sends, and learns from how long it took. */
import type { Cluster } from '../cluster/cluster.ts'
import type { Endpoint } from '../cluster/endpoint.ts'
import type { Exchange, Handler, Reply } from '../exchange.ts'
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

async function attempt(x: Exchange, endpoint: Endpoint, nowMs: () => number): Promise<Reply> {
  const startedMs = nowMs()
  endpoint.inFlight++
  try {
    const idle = x.freshConnection ? undefined : endpoint.pool.takeIdle()
    const connection = idle ?? (await connectionTo(endpoint, startedMs, nowMs))
    // The client may have left while we were connecting.
    if (x.aborted || x.timedOut) {
      connection.release()
      throw new UpstreamFailure('cancelled', 'the client went away')
    }
    const reply = await connection.send(x)
    const repliedMs = nowMs()
    if (reply.status >= 500) endpoint.observeFailure(repliedMs)
    else endpoint.observe(repliedMs - startedMs, repliedMs)
    if (reply.body.complete) endpoint.inFlight--
    else reply.body.onComplete(() => endpoint.inFlight--)
    return reply
  } catch (error) {
    endpoint.inFlight--
    if (tellsOfTheApplication(error)) endpoint.observeFailure(nowMs())
    throw error
  }
}

/** The picked endpoint rests: another one, unless all of those left do. */
function pickAwake(cluster: Cluster, picked: Endpoint, tried: readonly Endpoint[], now: number): Endpoint {
  const avoid = cluster.endpoints.filter((other) => other.reachability.rests(now) || tried.includes(other))
  if (avoid.length === cluster.endpoints.length) return picked
  return cluster.picker.pick(now, avoid) ?? picked
}

export function balance(choose: ChooseCluster, nowMs: () => number): Handler {
  return function sendToEndpoint(x) {
    const cluster = (x.cluster ??= choose(x))
    x.clusterName = cluster.name
    const now = nowMs()
    const tried = x.tried ?? noEndpoints
    const picked = cluster.picker.pick(now, tried)
    if (picked === undefined) {
      return Promise.reject(new UpstreamFailure('no-endpoint', `no endpoint of ${cluster.name} is ready`))
    }
    const endpoint = picked.reachability.rests(now) ? pickAwake(cluster, picked, tried, now) : picked
    x.attempts++
    x.upstreamAddress = endpoint.address
    x.upstreamPrincipal = endpoint.config.identity
    x.stats = endpoint.stats
    if (x.tried === undefined) x.tried = [endpoint]
    else x.tried.push(endpoint)
    return attempt(x, endpoint, nowMs)
  }
}
