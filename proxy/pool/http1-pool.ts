/**
 * Keep-alive connections to one endpoint. The one used last is lent first, so that the others can grow old and be
 * closed; a connection comes back only when its exchange ended cleanly (the codec decides).
 */
import { ClientConnection } from '../http1/client-connection.ts'
import type { Wire } from '../listen/wire.ts'
import { UpstreamFailure } from '../upstream-failure.ts'
import type { ConnectionCount } from './connection-count.ts'

/** Opens a connection; tells when TCP's part is done where TLS follows. Rejects with UpstreamFailure. */
export type Dial = (onConnected: (() => void) | undefined) => Promise<Wire>

export type Http1PoolOptions = {
  readonly dial: Dial
  readonly nowMs: () => number
  /** Idle connections of this age are not lent any more, and are closed by `sweep`; earlier if the upstream says so. */
  readonly idleTimeoutMs: number
  readonly maxIdle: number
  /** Of all pools of the cluster together. */
  readonly connections: ConnectionCount
}

/** What a pool counts; read at scrape. */
export type PoolStats = { opened: number; failed: number; reused: number; open: number; idle: number }

export class Http1Pool {
  readonly #options: Http1PoolOptions
  readonly #idle: ClientConnection[] = []
  readonly #all = new Set<ClientConnection>()
  readonly stats: PoolStats = { opened: 0, failed: 0, reused: 0, open: 0, idle: 0 }
  #closed = false

  constructor(options: Http1PoolOptions) {
    this.#options = options
  }

  /** An idle connection, at once; undefined: `connect` has to open one. */
  takeIdle(nowMs: number): ClientConnection | undefined {
    while (true) {
      const connection = this.#idle.pop()
      if (connection === undefined) return undefined
      this.#lessIdle()
      if (!connection.usable) continue
      if (this.#isOld(connection, nowMs)) {
        connection.destroy()
        continue
      }
      this.stats.reused++
      return connection
    }
  }

  /** A new connection; `onConnected` as of `Dial`. Rejects with UpstreamFailure ('connect', 'connect-timeout' or 'tls'). */
  async connect(onConnected?: () => void): Promise<ClientConnection> {
    if (this.#closed) throw new UpstreamFailure('connect', 'the endpoint was removed')
    const { connections, dial } = this.#options
    let wire: Wire
    connections.open++
    try {
      wire = await dial(onConnected)
    } catch (error) {
      this.stats.failed++
      connections.open--
      connections.onFree?.()
      throw error
    }
    this.stats.opened++
    const connection = new ClientConnection(wire, { onIdle: this.#onIdle, onClosed: this.#onClosed })
    this.#all.add(connection)
    this.stats.open++
    return connection
  }

  /** Closes what has been idle too long. */
  sweep(): void {
    const nowMs = this.#options.nowMs()
    for (const connection of this.#idle.filter((idle) => this.#isOld(idle, nowMs))) connection.destroy()
  }

  /** Closes idle connections and lends no more; those in use finish their exchange. */
  drain(): void {
    this.#closed = true
    for (const connection of this.#idle.splice(0)) {
      this.#lessIdle()
      connection.destroy()
    }
  }

  /** Closes the connection that has been idle longest; false when there is none. */
  closeIdle(): boolean {
    const connection = this.#idle.shift()
    if (connection === undefined) return false
    this.#lessIdle()
    connection.destroy()
    return true
  }

  /** No connection is left. */
  get empty(): boolean {
    return this.#all.size === 0
  }

  #isOld(connection: ClientConnection, nowMs: number): boolean {
    const idleMs = nowMs - connection.idleSinceMs
    return idleMs >= this.#options.idleTimeoutMs || idleMs >= connection.idleLimitMs
  }

  readonly #onIdle = (connection: ClientConnection): void => {
    if (this.#closed || this.#idle.length >= this.#options.maxIdle) {
      connection.destroy()
      return
    }
    connection.idleSinceMs = this.#options.nowMs()
    this.#idle.push(connection)
    this.stats.idle++
    const { connections } = this.#options
    connections.idle++
    connections.onFree?.()
  }

  #lessIdle(): void {
    this.stats.idle--
    this.#options.connections.idle--
  }

  readonly #onClosed = (connection: ClientConnection): void => {
    if (!this.#all.delete(connection)) return
    const { connections } = this.#options
    this.stats.open--
    connections.open--
    const at = this.#idle.indexOf(connection)
    if (at !== -1) {
      this.#idle.splice(at, 1)
      this.#lessIdle()
    }
    connections.onFree?.()
  }
}
