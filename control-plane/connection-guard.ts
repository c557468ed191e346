/**
 * Bounds what strangers can hold of the gRPC port: a connection without a call that was admitted is closed after a while,
 * and there are only so many of them, of one machine and together.
 */
import type { Socket } from 'node:net'
import type { Server } from '@grpc/grpc-js'
import type { Clock, Timer } from '../core/clock.ts'
import { http2ServersOf } from './http2-servers.ts'

/** TLS handshake, first call and the check of its token. */
const admittedWithinMs = 15_000
const sweepEveryMs = 5_000
/** As many pods of one node may start at once. */
const mostOfOneMachine = 2_048
const mostStrangers = 8_192

type Stranger = { readonly socket: Socket; readonly machine: string; readonly sinceMs: number }

export type GuardLimits = { readonly ofOneMachine: number; readonly together: number }

export class ConnectionGuard {
  readonly #clock: Clock
  readonly #limits: GuardLimits
  /** By `address:port` of the peer, the oldest first. */
  readonly #strangers = new Map<string, Stranger>()
  readonly #perMachine = new Map<string, number>()
  #timer: Timer | undefined
  #refused = 0

  constructor(
    clock: Clock,
    limits: GuardLimits = { ofOneMachine: mostOfOneMachine, together: mostStrangers },
  ) {
    this.#clock = clock
    this.#limits = limits
    this.#timer = clock.after(sweepEveryMs, this.#sweep)
  }

  /** Connections without an admitted call. */
  get strangers(): number {
    return this.#strangers.size
  }

  /** Connections that were closed for being too many, or strangers for too long. */
  get refused(): number {
    return this.#refused
  }

  /** Looks after the connections of `server`, which must be bound. */
  watch(server: Server): void {
    for (const http2Server of http2ServersOf(server))
      http2Server.prependListener('connection', (socket: Socket) => this.#add(socket))
  }

  /** A call of this peer (`address:port`) was admitted. */
  admitted(peer: string): void {
    this.#forget(peer)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#strangers.clear()
    this.#perMachine.clear()
  }

  #add(socket: Socket): void {
    const { remoteAddress: machine = '', remotePort } = socket
    const ofMachine = this.#perMachine.get(machine) ?? 0
    if (ofMachine >= this.#limits.ofOneMachine || this.#strangers.size >= this.#limits.together) {
      this.#refused++
      socket.destroy()
      return
    }
    const peer = `${machine}:${remotePort}`
    this.#strangers.set(peer, { socket, machine, sinceMs: this.#clock.monotonicMs() })
    this.#perMachine.set(machine, ofMachine + 1)
    socket.once('close', () => this.#forget(peer))
  }

  #forget(peer: string): void {
    const stranger = this.#strangers.get(peer)
    if (stranger === undefined) return
    this.#strangers.delete(peer)
    const left = (this.#perMachine.get(stranger.machine) ?? 1) - 1
    if (left > 0) this.#perMachine.set(stranger.machine, left)
    else this.#perMachine.delete(stranger.machine)
  }

  readonly #sweep = (): void => {
    const longestMs = this.#clock.monotonicMs() - admittedWithinMs
    for (const [peer, { socket, sinceMs }] of this.#strangers) {
      // They are in the order in which they came.
      if (sinceMs > longestMs) break
      this.#refused++
      this.#forget(peer)
      socket.destroy()
    }
    this.#timer = this.#clock.after(sweepEveryMs, this.#sweep)
  }
}
