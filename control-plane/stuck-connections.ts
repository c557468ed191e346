/**
 * Closes connections whose HTTP/2 session is over. Node can destroy a session over TLS and leave its socket open for
 * good, when a peer that broke the protocol resets the connection at that moment: 2 to 6 of 57,000 hostile connections,
 * each a file descriptor.
 */
import type { ServerHttp2Session } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Server } from '@grpc/grpc-js'
import type { Clock, Timer } from '../core/clock.ts'
import { http2ServersOf } from './http2-servers.ts'

/** A session's last frames leave within this time; what is open after it will stay so. */
const sweepEveryMs = 5_000

type Session = Pick<ServerHttp2Session, 'destroyed'>
type Socket = Pick<TLSSocket, 'destroyed' | 'destroy'>
type Connection = { readonly session: Session; readonly socket: Socket; wasOver: boolean }

export class StuckConnections {
  readonly #clock: Clock
  readonly #open = new Set<Connection>()
  #timer: Timer | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.#timer = clock.after(sweepEveryMs, this.#sweep)
  }

  /** Connections that are looked after. */
  get size(): number {
    return this.#open.size
  }

  /** Looks after the TLS connections of `server`, which must be bound. */
  watch(server: Server): void {
    for (const http2Server of http2ServersOf(server)) {
      let latest: TLSSocket | undefined
      http2Server.prependListener('secureConnection', (socket) => {
        latest = socket
      })
      // Told while the connection that it is for is: a session shows its socket only through a proxy.
      http2Server.on('session', (session) => {
        if (latest !== undefined) this.#add(session, latest)
      })
    }
  }

  stop(): void {
    this.#timer?.cancel()
    this.#open.clear()
  }

  #add(session: Session, socket: TLSSocket): void {
    const connection = { session, socket, wasOver: false }
    this.#open.add(connection)
    socket.once('close', () => this.#open.delete(connection))
  }

  readonly #sweep = (): void => {
    for (const connection of this.#open) {
      if (connection.wasOver) connection.socket.destroy()
      connection.wasOver = connection.session.destroyed
    }
    this.#timer = this.#clock.after(sweepEveryMs, this.#sweep)
  }
}
