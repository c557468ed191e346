/** Accepts what the application sends: redirected connections, or requests to an HTTP proxy. */
import { Buffer } from 'node:buffer'
import { type Address, isLoopback } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import { toWeftError } from '../core/errors.ts'
import { EarlyUpstream } from './early-upstream.ts'
import type { Downstream, Handler } from './exchange.ts'
import type { ConnectionLimit } from './listen/connection-limit.ts'
import type { Connections } from './listen/connections.ts'
import { type Detected, Detector } from './listen/detect.ts'
import { type Accepted, Listener } from './listen/listener.ts'
import { WaitingConnection } from './listen/waiting-connection.ts'
import type { OutboundTcp } from './outbound-tcp.ts'
import { type FirstBytes, serveHttp1, serveHttp2, type ServeParts } from './serve.ts'
import { forwardTcp, type TcpUpstream } from './tcp-forward.ts'

export type OutboundListenerParts = {
  readonly clock: Clock
  readonly connections: Connections
  readonly connectionLimit: ConnectionLimit
  readonly serve: ServeParts
  readonly handler: Handler
  /** Of CONNECT. */
  readonly connect: Handler
  readonly tcp: OutboundTcp
  readonly originalDestination: ((fd: number) => string | undefined) | undefined
  readonly detectTimeoutMs: number
  readonly onListenerError: (error: Error) => void
}

const noBytes = Buffer.alloc(0)

export class OutboundListener {
  readonly #parts: OutboundListenerParts
  readonly #listener: Listener
  /** Redirected IPv6 connections arrive on the loopback address of their own family. */
  readonly #twin: Listener
  #port = 0

  constructor(parts: OutboundListenerParts) {
    this.#parts = parts
    const { connectionLimit, onListenerError, serve } = parts
    const listener = (): Listener =>
      new Listener(connectionLimit, serve.stats, (accepted) => this.#accept(accepted), onListenerError)
    this.#listener = listener()
    this.#twin = listener()
  }

  /** Resolves with the port. Rejects with PORT_IN_USE or LISTEN_FAILED. */
  async listen(host: string, port: number): Promise<number> {
    this.#port = await this.#listener.listen(host, port)
    if (this.#parts.originalDestination !== undefined && host === '127.0.0.1') {
      // Without IPv6 nothing of it can be redirected either.
      await this.#twin.listen('::1', this.#port).catch((error: unknown) => {
        if (toWeftError(error).code === 'PORT_IN_USE') throw error
      })
    }
    return this.#port
  }

  async close(): Promise<void> {
    await Promise.all([this.#listener.close(), this.#twin.close()])
  }

  #accept(accepted: Accepted): void {
    const { originalDestination, tcp } = this.#parts
    const dialled = originalDestination?.(accepted.fd)
    // Whoever dials us ourselves speaks to us as to a proxy, redirected or not.
    const original = dialled === undefined || this.#isOwn(dialled) ? undefined : dialled
    if (original === undefined) {
      this.#detect(accepted, undefined)
      return
    }
    const opaque = tcp.isOpaque(original)
    if (opaque === undefined) void this.#discover(accepted, original)
    else this.#take(accepted, original, opaque)
  }

  /** Before a byte is looked at: perhaps nobody is to look. */
  async #discover(accepted: Accepted, original: string): Promise<void> {
    const { connections, tcp } = this.#parts
    const { wire } = accepted
    // What comes meanwhile stays with the kernel.
    wire.pause()
    const waiting = new WaitingConnection(wire)
    connections.add(waiting)
    await tcp.discover(original)
    connections.remove(waiting)
    if (wire.closed) return
    const opaque = tcp.isOpaque(original) === true
    this.#take(accepted, original, opaque)
    if (!opaque) wire.resume()
  }

  #take(accepted: Accepted, original: string, opaque: boolean): void {
    if (opaque) this.#forward(accepted, noBytes, original, this.#parts.tcp.connect(original))
    else this.#detect(accepted, original)
  }

  #detect(accepted: Accepted, original: string | undefined): void {
    const { clock, connections, detectTimeoutMs: timeoutMs, tcp, serve } = this.#parts
    const { stats, timeouts } = serve
    const { wire } = accepted
    let early: EarlyUpstream | undefined
    const onSilent = (destination: string): boolean => {
      early = new EarlyUpstream(tcp.connect(destination), () => detector.giveUp())
      return true
    }
    const detector = new Detector(
      wire,
      { clock, timeoutMs, silentMs: timeouts.idleMs, stats },
      {
        onDetected: (detected, bytes, firstByteMs) => {
          connections.remove(detector)
          this.#serve(detected, { bytes, firstByteMs }, accepted, original, early)
        },
        onGone: () => {
          connections.remove(detector)
          early?.drop()
        },
        ...(original !== undefined && { onSilent: () => onSilent(original) }),
      },
    )
    connections.add(detector)
    wire.readInto(detector)
  }

  #isOwn(address: string): boolean {
    const { host, port } = splitAddress(address)
    return port === this.#port && isLoopback(host)
  }

  #serve(
    detected: Detected,
    first: FirstBytes,
    accepted: Accepted,
    original: string | undefined,
    early: EarlyUpstream | undefined,
  ): void {
    const { wire, peerAddress, peerPort } = accepted
    const isHttp = detected.kind === 'http1' || detected.kind === 'http2'
    if (!isHttp && original !== undefined) {
      this.#forward(accepted, first.bytes, original, this.#upstreamFor(detected, original, early))
      return
    }
    early?.drop()
    // Without an original destination only HTTP can say where it wants to go; anything else gets a 400 there.
    const downstream: Downstream = {
      direction: 'outbound',
      peerAddress,
      peerPort,
      meshTls: false,
      principal: undefined,
      originalDestination: original,
      applicationPort: 0,
      stats: undefined,
      identity: undefined,
      access: undefined,
    }
    const { handler, serve } = this.#parts
    // Redirected, the client takes us for the server, which is asked for no tunnels.
    const connect = original === undefined ? this.#parts.connect : undefined
    if (detected.kind === 'http2') serveHttp2(wire, downstream, handler, first, serve, undefined, connect)
    else serveHttp1(wire, downstream, handler, first, serve, connect)
  }

  #upstreamFor(detected: Detected, original: string, early: EarlyUpstream | undefined): Promise<TcpUpstream> {
    const serverName = detected.kind === 'tls' ? detected.hello.serverName : undefined
    if (early !== undefined && !early.gone && serverName === undefined) return early.take()
    early?.drop()
    return this.#parts.tcp.connect(original, serverName)
  }

  #forward(accepted: Accepted, bytes: Buffer, original: string, dialling: Promise<TcpUpstream>): void {
    const { wire, peerAddress: peer } = accepted
    const client = { direction: 'outbound', peer, principal: undefined, destination: original } as const
    void forwardTcp(wire, bytes, dialling, client, this.#parts.serve)
  }
}

/** Of what the kernel told, which is always `address:port`. */
function splitAddress(text: string): Address {
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
}
