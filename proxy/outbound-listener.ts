/** Accepts what the application sends: redirected connections, or requests to an HTTP proxy. */
import { Buffer } from 'node:buffer'
import type { Clock } from '../core/clock.ts'
import { WeftError } from '../core/errors.ts'
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
  #port = 0

  constructor(parts: OutboundListenerParts) {
    this.#parts = parts
    this.#listener = new Listener(
      parts.connectionLimit,
      (accepted) => this.#accept(accepted),
      parts.onListenerError,
    )
  }

  async listen(host: string, port: number): Promise<number> {
    this.#port = await this.#listener.listen(host, port)
    return this.#port
  }

  close(): Promise<void> {
    return this.#listener.close()
  }

  #accept(accepted: Accepted): void {
    const { clock, connections, detectTimeoutMs, serve, originalDestination } = this.#parts
    const { wire, fd } = accepted
    serve.stats.opened++
    const original = originalDestination?.(fd)
    if (original !== undefined && original.endsWith(`:${this.#port}`)) {
      // Dialled us directly although connections are redirected: forwarding would come back here.
      wire.destroy()
      return
    }
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
    const colon = original.lastIndexOf(':')
    const host = original.slice(0, colon).replace(/^\[|\]$/g, '')
    client.pause()
    try {
      const upstream = await dialPlain(
        host,
        Number(original.slice(colon + 1)),
        opaqueConnectTimeoutMs,
        this.#parts.clock,
      )
      splice(client, upstream, bytes, Buffer.alloc(0), this.#parts.serve)
    } catch (error) {
      client.destroy()
      this.#parts.onRefused(new WeftError('UPSTREAM_CONNECT_FAILED', String(error), { cause: error }), peer)
    }
  }
}
