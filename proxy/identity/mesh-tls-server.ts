/** Accepts mesh TLS on sockets that others accepted and looked at. */
import type { Socket } from 'node:net'
import { type Server, type TLSSocket, createServer } from 'node:tls'
import type { Clock } from '../../core/clock.ts'
import { WeftError } from '../../core/errors.ts'
import type { Identities, Identity } from './identity.ts'
import { tlsFailure } from './tls-failure.ts'
import { PeerVerifier } from './verify-peer.ts'

export type OnSecure = (tls: TLSSocket, principal: string, alpn: string) => void
export type OnRefused = (error: WeftError) => void

type Waiting = { readonly onSecure: OnSecure; readonly onRefused: OnRefused }

/** As long as a client gets for its first bytes. */
const HANDSHAKE_TIMEOUT_MS = 10_000
/** Sessions resume only where this is the same; OpenSSL wants it set when clients show certificates. */
const SESSION_CONTEXT = 'weft'
const DEFAULT_ALPN = ['weft-h1', 'weft-tcp'] as const

export type MeshTlsServerOptions = {
  readonly identities: Identities
  readonly trustDomain: string
  readonly clock: Clock
  readonly alpn?: readonly string[]
  readonly handshakeTimeoutMs?: number
}

/** Calls exactly one of the two callbacks for every socket given to `accept`. */
export class MeshTlsServer {
  readonly #verifier: PeerVerifier
  readonly #server: Server
  readonly #waiting = new WeakMap<Socket, Waiting>()
  readonly #unsubscribe: () => void
  #hasIdentity = false

  constructor(options: MeshTlsServerOptions) {
    this.#verifier = new PeerVerifier(options)
    // The server never listens: sockets are injected, so that its own checks of the client's certificate are made.
    this.#server = createServer({
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
      ALPNProtocols: [...(options.alpn ?? DEFAULT_ALPN)],
      handshakeTimeout: options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS,
      sessionIdContext: SESSION_CONTEXT,
    })
    this.#server.on('secureConnection', (tls) => this.#onSecure(tls))
    this.#server.on('tlsClientError', (error, tls) => this.#onFailure(error, tls))
    this.#server.on('error', (error) => void error)
    const { identities } = options
    this.#unsubscribe = identities.onChange((identity) => this.#use(identity))
    if (identities.current !== undefined) this.#use(identities.current)
  }

  /**
   * Makes a TLS server connection of a socket; bytes read already must have been put back by `unshift`. The
   * principal is proven, the protocol one of `alpn`. After a refusal the socket is destroyed.
   */
  accept(socket: Socket, onSecure: OnSecure, onRefused: OnRefused): void {
    socket.on('error', () => socket.destroy())
    if (!this.#hasIdentity || socket.destroyed) {
      const gone = socket.destroyed
      socket.destroy()
      onRefused(
        gone
          ? new WeftError('TLS_REFUSED', 'the client went away')
          : new WeftError('IDENTITY_MISSING', 'mesh TLS cannot be accepted yet'),
      )
      return
    }
    this.#waiting.set(socket, { onSecure, onRefused })
    this.#server.emit('connection', socket)
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
    this.#hasIdentity = true
  }

  #onSecure(tls: TLSSocket): void {
    // Before anything else: whoever takes the socket over adds its own.
    tls.on('error', () => tls.destroy())
    const waiting = this.#take(tls)
    try {
      if (waiting === undefined) throw new WeftError('INTERNAL', 'a connection that nobody waits for')
      if (typeof tls.alpnProtocol !== 'string')
        throw new WeftError('TLS_REFUSED', 'the client offers no protocol')
      const { principal } = this.#verifier.verifyPeer(tls, { role: 'client' })
      waiting.onSecure(tls, principal, tls.alpnProtocol)
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
