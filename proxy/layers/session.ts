/**
 * Keeps a client with the endpoint that it met first, over all backends of the route and whatever their weights become
 * (GEP-1619). The client itself tells which: the sidecar remembers nothing. An endpoint that has gone is replaced.
 */
import type { Cluster } from '../cluster/cluster.ts'
import type { Endpoint } from '../cluster/endpoint.ts'
import { type Exchange, type Receiver, type Reply } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'
import type { Layer } from '../layer.ts'
import type { SessionRule } from '../route/route-rule.ts'
import { formatToken, parseToken, readCookie, type SessionToken } from '../route/session-token.ts'

export type SessionParts = {
  /** The clusters that the route may send to, by name. */
  readonly clusterOf: (name: string) => Cluster | undefined
  readonly wallMs: () => number
}

function readToken(headers: HeaderList, { kind, name }: SessionRule): SessionToken | undefined {
  const text = kind === 'cookie' ? readCookie(headers, name) : headers.get(name.toLowerCase())
  return text === undefined ? undefined : parseToken(text)
}

function expired(token: SessionToken, rule: SessionRule, nowMs: number): boolean {
  const { absoluteTimeoutMs = Number.POSITIVE_INFINITY, idleTimeoutMs = Number.POSITIVE_INFINITY } = rule
  return nowMs - token.beganMs > absoluteTimeoutMs || nowMs - token.usedMs > idleTimeoutMs
}

function endpointOf(token: SessionToken, cluster: Cluster | undefined): Endpoint | undefined {
  return cluster?.endpoints.find((endpoint) => endpoint.address === token.address)
}

/** Tells the client where it is, when that is news. */
class Telling implements Receiver {
  readonly #receiver: Receiver
  readonly #rule: SessionRule
  readonly #wallMs: () => number
  readonly #beganMs: number | undefined

  constructor(receiver: Receiver, rule: SessionRule, wallMs: () => number, beganMs: number | undefined) {
    this.#receiver = receiver
    this.#rule = rule
    this.#wallMs = wallMs
    this.#beganMs = beganMs
  }

  onReply(x: Exchange, reply: Reply): void {
    const known = x.endpoint !== undefined && x.endpoint === x.preferred
    // An idle time begins anew with each reply, and the client keeps the clock.
    if (x.endpoint !== undefined && (!known || this.#rule.idleTimeoutMs !== undefined))
      this.#tell(reply.headers, x.clusterName, x.endpoint, known)
    this.#receiver.onReply(x, reply)
  }

  onFailure(x: Exchange, error: unknown): void {
    this.#receiver.onFailure(x, error)
  }

  #tell(headers: HeaderList, cluster: string, { address }: Endpoint, known: boolean): void {
    const { kind, name, path, maxAgeMs } = this.#rule
    const nowMs = this.#wallMs()
    const beganMs = known && this.#beganMs !== undefined ? this.#beganMs : nowMs
    const token = formatToken({ cluster, address, beganMs, usedMs: nowMs })
    if (kind === 'header') {
      headers.set(name.toLowerCase(), token, name)
      return
    }
    const age = maxAgeMs === undefined ? '' : `; Max-Age=${Math.ceil(maxAgeMs / 1000)}`
    headers.append('Set-Cookie', `${name}=${token}; Path=${path}; HttpOnly; SameSite=Strict${age}`)
  }
}

/** Outside of what chooses the backend: a session takes precedence over weights. */
export function session(rule: SessionRule, { clusterOf, wallMs }: SessionParts): Layer {
  return (next) =>
    function keepSession(x, receiver) {
      const token = readToken(x.headers, rule)
      const live = token !== undefined && !expired(token, rule, wallMs())
      const cluster = live ? clusterOf(token.cluster) : undefined
      const endpoint = live ? endpointOf(token, cluster) : undefined
      if (cluster !== undefined && endpoint !== undefined) {
        x.cluster = cluster
        x.preferred = endpoint
      }
      next(x, new Telling(receiver, rule, wallMs, live ? token.beganMs : undefined))
    }
}
