/**
 * HTTP/2 connections to one endpoint: one, and more only when its streams run out. Who finds no room waits here and not
 * with the upstream, so that leaving costs that nothing.
 */
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../../core/clock.ts'
import type { Exchange, Receiver } from '../exchange.ts'
import { Http2ClientConnection } from '../http2/client-connection.ts'
import type { HeadForm } from '../http2/head-form.ts'
import type { Wire } from '../listen/wire.ts'
import { UpstreamFailure } from '../upstream-failure.ts'
import type { ConnectionCount } from './connection-count.ts'
import type { Dial, PoolStats } from './http1-pool.ts'

/** Who sends an exchange through a pool. */
export interface Http2Sender extends Receiver {
  /** It had to wait for a connection to be opened, and is about to be sent; TCP's part of that was done at `acceptedMs`, where TLS followed. */
  onOpened(acceptedMs: number | undefined): void
  /** The endpoint does not speak HTTP/2; nothing was sent. */
  onNotSpoken(x: Exchange): void
}

export type Http2PoolOptions = {
  readonly dial: Dial
  readonly clock: Clock
  /** How heads are written on one connection. */
  readonly makeForm: () => HeadForm
  /** From the preface to the upstream's settings. */
  readonly settingsTimeoutMs: () => number
  readonly idleTimeoutMs: number
  /** Connections of the cluster together. */
  readonly maxConnections: () => number
  readonly connections: ConnectionCount
  /** The same for all pools of the endpoint. */
  readonly stats: PoolStats
}

type Waiting = {
  readonly x: Exchange
  readonly sender: Http2Sender
  /** It waited for a connection that has been opened, with TLS behind what was accepted then. */
  opened: boolean
  acceptedMs: number | undefined
}

const maxConnectionsPerEndpoint = 32
/** With more of them those that are worn are used on: streams that go on for long keep each open. */
const mostWhereWornAreReplaced = maxConnectionsPerEndpoint / 2
/** Connections in a row that ended before they carried a request; those who wait are told, and do not open more and more. */
const mostUnusedInARow = 3
/** How long an endpoint is taken for one that does not speak HTTP/2: it said so, if only of a request, or it closed without a word. */
const notSpokenMs = 60_000
const silentMs = 1_000
const noTunnels =
  'the endpoint speaks HTTP/2 and did not offer WebSockets there (SETTINGS_ENABLE_CONNECT_PROTOCOL); turn that on in its server, or serve WebSockets over HTTP/1.1 on a port without appProtocol kubernetes.io/h2c'

export class Http2Pool {
  readonly #options: Http2PoolOptions
  /** Those that may be sent more, the fullest first. */
  readonly #open: Http2ClientConnection[] = []
  readonly #all = new Set<Http2ClientConnection>()
  #queue: Waiting[] = []
  #opening = 0
  #scheduled = false
  #closed = false
  #unusedInARow = 0
  #notSpokenUntilMs = 0
  /** Until when only calls of gRPC are sent, which HTTP/1.1 does not carry: never before the other. */
  #onlyCallsUntilMs = 0
  #hasSpoken = false

  constructor(options: Http2PoolOptions) {
    this.#options = options
  }

  /** Worth trying, as far as is known; `isCall`: with a call of gRPC. */
  speaks(nowMs: number, isCall: boolean): boolean {
    return nowMs >= this.#onlyCallsUntilMs || (isCall && nowMs >= this.#notSpokenUntilMs)
  }

  /** The endpoint wants a request over HTTP/1.1: the next ones go there at once. */
  http1Wanted(): void {
    this.#onlyCallsUntilMs = this.#options.clock.monotonicMs() + notSpokenMs
  }

  /** Sends `x`, now or when there is room. */
  send(x: Exchange, sender: Http2Sender): void {
    if (this.#queue.length === 0) {
      const connection = this.#withRoom()
      if (connection !== undefined) {
        this.#sendOn(connection, x, sender)
        return
      }
    }
    const waiting: Waiting = { x, sender, opened: false, acceptedMs: undefined }
    x.cancel = (reason) => this.#forget(waiting, reason)
    this.#queue.push(waiting)
    this.#openIfNeeded()
  }

  sweep(): void {
    const nowMs = this.#options.clock.monotonicMs()
    for (const connection of this.#all) {
      const idle = connection.openStreams === 0
      if (idle && nowMs - connection.idleSinceMs >= this.#options.idleTimeoutMs) connection.close()
      else connection.sweep(nowMs)
    }
    // Streams that were reset count no more by now.
    if (this.#queue.length > 0) this.#schedule()
  }

  /** Opens no more; streams that are open finish. */
  drain(): void {
    this.#closed = true
    for (const connection of this.#all) connection.drain()
  }

  /** Closes a connection without streams. */
  closeIdle(): void {
    for (const connection of this.#open)
      if (connection.openStreams === 0) {
        connection.close()
        return
      }
  }

  get empty(): boolean {
    return this.#all.size === 0
  }

  #withRoom(): Http2ClientConnection | undefined {
    for (const connection of this.#open) if (connection.hasRoom) return connection
    return undefined
  }

  #sendOn(connection: Http2ClientConnection, x: Exchange, sender: Http2Sender): void {
    if (x.upgrade !== undefined && !connection.takesTunnels) {
      sender.onFailure(x, new UpstreamFailure('no-tunnel', noTunnels))
      return
    }
    const { connections, stats } = this.#options
    this.#unusedInARow = 0
    if (connection.openStreams === 0) {
      connections.idle--
      stats.idle--
    }
    stats.reused++
    connection.send(x, sender)
  }

  #forget(waiting: Waiting, reason: Error): void {
    this.#queue = this.#queue.filter((entry) => entry !== waiting)
    waiting.x.cancel = undefined
    waiting.sender.onFailure(waiting.x, new UpstreamFailure('cancelled', reason.message, {}, reason))
  }

  #openIfNeeded(): void {
    if (this.#opening > 0 || this.#queue.length === 0) return
    const { connections, maxConnections } = this.#options
    // Others would take none either.
    if (this.#open.some(({ takesNone }) => takesNone)) return
    // Those who wait can have room on what is there, unless all of that is about to go.
    const isFull = this.#all.size >= maxConnectionsPerEndpoint || connections.open >= maxConnections()
    if (isFull && this.#open.length > 0) return
    void this.#openOne()
  }

  async #openOne(): Promise<void> {
    this.#opening++
    let acceptedMs: number | undefined
    const onAccepted = (): void => {
      acceptedMs = this.#options.clock.monotonicMs()
    }
    try {
      if (this.#closed) throw new UpstreamFailure('connect', 'the endpoint was removed')
      await this.#greet(await this.#dial(onAccepted))
    } catch (error) {
      this.#opening--
      this.#onNotOpened(error)
      return
    }
    this.#opening--
    for (const waiting of this.#queue) {
      waiting.opened = true
      waiting.acceptedMs = acceptedMs
    }
    this.#serve()
  }

  async #dial(onAccepted: () => void): Promise<Wire> {
    const { connections, dial, stats } = this.#options
    connections.open++
    try {
      return await dial(onAccepted)
    } catch (error) {
      stats.failed++
      connections.open--
      connections.onFree?.()
      // A sidecar of before: it knows another protocol only.
      if (isWithoutProtocol(error)) this.#notSpoken(notSpokenMs)
      throw error
    }
  }

  /** Waits until the upstream has said what it allows. Rejects with UpstreamFailure. */
  #greet(wire: Wire): Promise<void> {
    const { clock, settingsTimeoutMs } = this.#options
    return new Promise((resolve, reject) => {
      const timeoutMs = settingsTimeoutMs()
      const timer = clock.deadline(timeoutMs, () => {
        // Who waits for more of what it does not know would keep every request waiting.
        if (!this.#hasSpoken) this.#notSpoken(notSpokenMs)
        reject(new UpstreamFailure('connect-timeout', `no HTTP/2 settings came within ${timeoutMs} ms`))
        wire.destroy()
      })
      const connection = new Http2ClientConnection(
        wire,
        this.#options.makeForm(),
        isSidecar(wire),
        clock.monotonicMs,
        {
          onReady: () => {
            timer.cancel()
            this.#onReady(connection)
            resolve()
          },
          onStreamOver: this.#onStreamOver,
          onSettings: () => this.#schedule(),
          onWorn: this.#onWorn,
          onDraining: this.#onDraining,
          onClosed: () => {
            timer.cancel()
            this.#onClosed(connection)
            reject(new UpstreamFailure('connect', 'the endpoint does not speak HTTP/2'))
          },
        },
      )
      this.#all.add(connection)
    })
  }

  #notSpoken(forMs: number): void {
    const untilMs = this.#options.clock.monotonicMs() + forMs
    this.#notSpokenUntilMs = Math.max(this.#notSpokenUntilMs, untilMs)
    this.#onlyCallsUntilMs = Math.max(this.#onlyCallsUntilMs, untilMs)
  }

  #onReady(connection: Http2ClientConnection): void {
    const { connections, stats } = this.#options
    this.#hasSpoken = true
    stats.opened++
    stats.open++
    stats.idle++
    connections.idle++
    this.#open.push(connection)
  }

  readonly #onStreamOver = (connection: Http2ClientConnection): void => {
    const { connections, stats } = this.#options
    if (connection.openStreams === 0 && !connection.session.over && this.#open.includes(connection)) {
      connections.idle++
      stats.idle++
      connections.onFree?.()
    }
    if (this.#queue.length > 0) this.#schedule()
  }

  /** Streams to come have one of their own, so that those that do not go wrong are not lost with it. */
  readonly #onWorn = (connection: Http2ClientConnection): void => {
    if (this.#all.size < mostWhereWornAreReplaced) connection.retire()
  }

  readonly #onDraining = (connection: Http2ClientConnection): void => {
    this.#takeOut(connection)
    if (connection.wantsHttp1) {
      this.#notSpoken(notSpokenMs)
      this.#tellWaiting((x, sender) => sender.onNotSpoken(x))
    }
    if (this.#queue.length > 0) this.#schedule()
  }

  #onClosed(connection: Http2ClientConnection): void {
    if (!this.#all.delete(connection)) return
    const { connections, stats } = this.#options
    this.#takeOut(connection)
    connections.open--
    if (connection.spoke === 'http2') stats.open--
    else if (connection.spoke === 'other') this.#notSpoken(notSpokenMs)
    // Who has spoken it before is only out of order.
    else if (!this.#hasSpoken) this.#notSpoken(silentMs)
    connections.onFree?.()
    if (this.#queue.length > 0) this.#schedule()
  }

  #takeOut(connection: Http2ClientConnection): void {
    const at = this.#open.indexOf(connection)
    if (at === -1) return
    this.#open.splice(at, 1)
    if (!connection.carried) this.#onUnused()
    if (connection.openStreams > 0) return
    this.#options.connections.idle--
    this.#options.stats.idle--
  }

  #onUnused(): void {
    if (++this.#unusedInARow < mostUnusedInARow) return
    this.#unusedInARow = 0
    const failure = new UpstreamFailure(
      'connect',
      'the endpoint ends its connections before it takes a request',
    )
    this.#tellWaiting((x, sender) => sender.onFailure(x, failure))
  }

  /** Those who wait are told, unless there is another connection to wait for; the next try is the sweep's. */
  #onNotOpened(failure: unknown): void {
    const notSpoken = this.#options.clock.monotonicMs() < this.#notSpokenUntilMs
    if (this.#open.length > 0 && !notSpoken) return
    this.#tellWaiting((x, sender) => (notSpoken ? sender.onNotSpoken(x) : sender.onFailure(x, failure)))
  }

  #tellWaiting(tell: (x: Exchange, sender: Http2Sender) => void): void {
    const waiting = this.#queue
    this.#queue = []
    for (const { x, sender } of waiting) {
      x.cancel = undefined
      tell(x, sender)
    }
  }

  /** Later in this turn: when a client leaves, those of its requests that wait are to be gone before there is room for them. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#serve()
    })
  }

  #serve(): void {
    while (this.#queue.length > 0) {
      const connection = this.#withRoom()
      if (connection === undefined) break
      const { x, sender, opened, acceptedMs } = this.#queue.shift() as Waiting
      x.cancel = undefined
      if (opened) sender.onOpened(acceptedMs)
      this.#sendOn(connection, x, sender)
    }
    this.#openIfNeeded()
  }
}

/** Only sidecars have that protocol. */
function isSidecar({ socket }: Wire): boolean {
  const { alpnProtocol } = socket as Partial<TLSSocket>
  return typeof alpnProtocol === 'string' && alpnProtocol.startsWith('weft-')
}

function isWithoutProtocol(error: unknown): boolean {
  return (
    error instanceof UpstreamFailure &&
    error.kind === 'tls' &&
    /no.?application.?protocol|does not speak/i.test(error.message)
  )
}
