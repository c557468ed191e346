/** Accepts what the application sends: redirected connections, or requests to an HTTP proxy. */
import { Buffer } from 'node:buffer'
import { type Address, isLoopback } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import { toWeftError, WeftError } from '../core/errors.ts'
import type { Downstream, Handler } from './exchange.ts'
import type { ConnectionLimit } from './listen/connection-limit.ts'
import type { Connections } from './listen/connections.ts'
import { type Detected, Detector } from './listen/detect.ts'
import { type Accepted, Listener } from './listen/listener.ts'
import type { Wire } from './listen/wire.ts'
import { dialPlain } from './pool/dial.ts'
import { type FirstBytes, serveHttp1, type ServeParts, splice } from './serve.ts'

export type OutboundListenerParts = {
  readonly clock: Clock
  readonly connections: Connections
  readonly connectionLimit: ConnectionLimit
  readonly serve: ServeParts
  readonly handler: Handler
  readonly originalDestination: ((fd: number) => string | undefined) | undefined
  readonly detectTimeoutMs: number
  readonly onListenerError: (error: Error) => void
  readonly onRefused: (error: WeftError, peer: string) => void
}

const opaqueConnectTimeoutMs = 1_000

export class OutboundListener {
  readonly #parts: OutboundListenerParts
  readonly #listener: Listener
  /** Redirected IPv6 connections arrive on the loopback address of their own family. */
  readonly #twin: Listener
  #port = 0

  constructor(parts: OutboundListenerParts) {
    this.#parts = parts
    const { connectionLimit, onListenerError } = parts
    const listener = (): Listener =>
      new Listener(connectionLimit, (accepted) => this.#accept(accepted), onListenerError)
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
    const { clock, connections, detectTimeoutMs, serve, originalDestination } = this.#parts
    const { wire, fd } = accepted
    serve.stats.opened++
    const dialled = originalDestination?.(fd)
    // Whoever dials us ourselves speaks to us as to a proxy, redirected or not.
    const original = dialled === undefined || this.#isOwn(dialled) ? undefined : dialled
    const detector = new Detector(wire, clock.monotonicMs, detectTimeoutMs, {
      onDetected: (detected, bytes, firstByteMs) => {
        connections.remove(detector)
        this.#serve(detected, { bytes, firstByteMs }, accepted, original)
      },
      onGone: () => connections.remove(detector),
    })
    connections.add(detector)
    wire.readInto(detector)
  }

  #isOwn(address: string): boolean {
    const { host, port } = splitAddress(address)
    return port === this.#port && isLoopback(host)
  }

  #serve(detected: Detected, first: FirstBytes, accepted: Accepted, original: string | undefined): void {
    const { wire, peerAddress, peerPort } = accepted
    if (detected.kind === 'http1' || original === undefined) {
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
      }
      serveHttp1(wire, downstream, this.#parts.handler, first, this.#parts.serve)
    } else {
      void this.#forwardBytes(wire, first.bytes, original, peerAddress)
    }
  }

  /** Opaque bytes go where the application dialled. */
  async #forwardBytes(client: Wire, bytes: Buffer, original: string, peer: string): Promise<void> {
    const { host, port } = splitAddress(original)
    client.pause()
    try {
      const upstream = await dialPlain(host, port, opaqueConnectTimeoutMs, this.#parts.clock)
      splice(client, upstream, bytes, Buffer.alloc(0), this.#parts.serve)
    } catch (error) {
      client.destroy()
      this.#parts.onRefused(new WeftError('UPSTREAM_CONNECT_FAILED', String(error), { cause: error }), peer)
    }
  }
}

/** Of what the kernel told, which is always `address:port`. */
function splitAddress(text: string): Address {
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
}
