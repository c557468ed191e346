/** Accepts TLS, of the mesh or of a bootstrap file, on sockets that others accepted and looked at. */
import type { Socket } from 'node:net'
import { type Server, type TLSSocket, createServer } from 'node:tls'
import type { Clock } from '../../core/clock.ts'
import { WeftError } from '../../core/errors.ts'
import type { Identities, Identity } from './identity.ts'
import { tlsFailure } from './tls-failure.ts'
import type { PeerCheck } from './verify-peer.ts'

/** `fingerprint`: the SHA-256 of the client's certificate, in hex; empty without one. */
export type OnSecure = (tls: TLSSocket, principal: string, alpn: string, fingerprint: string) => void
export type OnRefused = (error: WeftError) => void

type Waiting = { readonly onSecure: OnSecure; readonly onRefused: OnRefused }

/** As long as a client gets for its first bytes. */
const HANDSHAKE_TIMEOUT_MS = 10_000
/** Sessions resume only where this is the same; OpenSSL wants it set when clients show certificates. */
const SESSION_CONTEXT = 'weft'
const DEFAULT_ALPN = ['weft-h2', 'weft-m1', 'weft-h1', 'weft-tcp'] as const

export type TlsServerOptions = {
  readonly identities: Identities
  readonly verifier: PeerCheck
  /** By which our own certificate may be over; absent: it is shown whatever its end. */
  readonly clock?: Clock
  /** Offered to clients. Set and empty: no ALPN is asked for. */
  readonly alpn?: readonly string[]
  /** 'optional': one that is shown is verified. */
  readonly clientCertificate?: 'required' | 'optional' | 'none'
  readonly handshakeTimeoutMs?: number
}

/** Calls exactly one of the two callbacks for every socket given to `accept`. */
export class TlsServer {
  readonly #identities: Identities
  readonly #clock: Clock | undefined
  readonly #verifier: PeerCheck
  readonly #needsAlpn: boolean
  readonly #server: Server
  readonly #waiting = new WeakMap<Socket, Waiting>()
  readonly #unsubscribe: () => void

  constructor(options: TlsServerOptions) {
    this.#verifier = options.verifier
    const { alpn = DEFAULT_ALPN, clientCertificate: certificate = 'required' } = options
    this.#needsAlpn = options.alpn === undefined
    // The server never listens: sockets are injected, so that its own checks of the client's certificate are made.
    this.#server = createServer({
      requestCert: certificate !== 'none',
      rejectUnauthorized: certificate === 'required',
      ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
      handshakeTimeout: options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS,
      sessionIdContext: SESSION_CONTEXT,
    })
    this.#server.on('secureConnection', (tls) => this.#onSecure(tls))
    this.#server.on('tlsClientError', (error, tls) => this.#onFailure(error, tls))
    this.#server.on('error', (error) => void error)
    const { identities } = options
    this.#identities = identities
    this.#clock = options.clock
    this.#unsubscribe = identities.onChange((identity) => this.#use(identity))
    if (identities.current !== undefined) this.#use(identities.current)
  }

  /**
   * Makes a TLS server connection of a socket; bytes read already must have been put back by `unshift`. The
   * principal is proven, the protocol one of `alpn`. After a refusal the socket is destroyed.
   */
  accept(socket: Socket, onSecure: OnSecure, onRefused: OnRefused): void {
    socket.on('error', () => socket.destroy())
    const refusal = this.#refusalOf(socket)
    if (refusal !== undefined) {
      socket.destroy()
      onRefused(refusal)
      return
    }
    this.#waiting.set(socket, { onSecure, onRefused })
    this.#server.emit('connection', socket)
  }

  #refusalOf(socket: Socket): WeftError | undefined {
    if (socket.destroyed) return new WeftError('TLS_REFUSED', 'the client went away')
    const { current } = this.#identities
    if (current === undefined) return new WeftError('IDENTITY_MISSING', 'mesh TLS cannot be accepted yet')
    const nowMs = this.#clock?.wallMs() ?? Number.NEGATIVE_INFINITY
    return current.notAfterMs <= nowMs
      ? new WeftError('IDENTITY_EXPIRED', 'mesh TLS cannot be accepted any more')
      : undefined
  }

  /** Takes no further identities; connections that stand are left alone. */
  close(): void {
    this.#unsubscribe()
  }

  #use(identity: Identity): void {
    this.#server.setSecureContext({
      ...identity.contextOptions,
      sessionIdContext: SESSION_CONTEXT,
      ticketKeys: identity.ticketKeys,
    })
  }

  #onSecure(tls: TLSSocket): void {
    // Before anything else: whoever takes the socket over adds its own.
    tls.on('error', () => tls.destroy())
    const waiting = this.#take(tls)
    try {
      if (waiting === undefined) throw new WeftError('INTERNAL', 'a connection that nobody waits for')
      const alpn = typeof tls.alpnProtocol === 'string' ? tls.alpnProtocol : ''
      if (this.#needsAlpn && alpn === '') throw new WeftError('TLS_REFUSED', 'the client offers no protocol')
      const { principal, fingerprint } = this.#verifier.verifyPeer(tls, { role: 'client' })
      waiting.onSecure(tls, principal, alpn, fingerprint)
    } catch (error) {
      tls.destroy()
      waiting?.onRefused(tlsFailure(error, undefined, 'client'))
    }
  }

  #onFailure(error: Error, tls: TLSSocket): void {
    const waiting = this.#take(tls)
    tls.destroy()
    waiting?.onRefused(tlsFailure(error, tls.authorizationError, tls.remoteAddress ?? 'client'))
  }

  /** Who waits for the socket under this TLS socket. Node has no public way from the one to the other. */
  #take(tls: TLSSocket): Waiting | undefined {
    const socket = (tls as TLSSocket & { readonly _parent?: Socket })._parent
    const waiting = socket === undefined ? undefined : this.#waiting.get(socket)
    if (socket !== undefined) this.#waiting.delete(socket)
    return waiting
  }
}
