/** Opens TLS connections to endpoints, of the mesh or of a bootstrap file, and resumes sessions with those it knows. */
import type { Buffer } from 'node:buffer'
import { type ConnectionOptions, type TLSSocket, connect } from 'node:tls'
import type { Clock } from '../../core/clock.ts'
import { formatAddress } from '../../core/address.ts'
import { WeftError } from '../../core/errors.ts'
import { keepAliveProbeMs } from '../../core/keep-alive.ts'
import type { Identities, Identity } from './identity.ts'
import { tlsFailure } from './tls-failure.ts'
import type { PeerCheck, VerifiedPeer } from './verify-peer.ts'

export type MeshTarget = {
  readonly host: string
  readonly port: number
  /** The one protocol to offer; empty: no ALPN. */
  readonly alpn: string
  /** Sent as SNI, when there is one. */
  readonly serverName?: string | undefined
  /** Who the endpoint must be; undefined: any workload of the trust domain. */
  readonly expectedIdentity: string | undefined
  /** For TCP and TLS together. */
  readonly timeoutMs: number
  /** Told when the handshake begins. */
  readonly onConnected?: (() => void) | undefined
}

type Session = { readonly ticket: Buffer; readonly peer: VerifiedPeer }

/** A session has 2 to 3 KiB; this many endpoints are more than one sidecar talks to at a time. */
const MOST_SESSIONS = 1024

export class TlsClient {
  readonly #identities: Identities
  readonly #clock: Clock
  readonly #verifier: PeerCheck
  readonly #sessions = new Map<string, Session>()
  readonly #unsubscribe: () => void

  constructor(options: {
    readonly identities: Identities
    readonly verifier: PeerCheck
    readonly clock: Clock
  }) {
    this.#identities = options.identities
    this.#clock = options.clock
    this.#verifier = options.verifier
    // A session carries our certificate of then and was made under the roots of then: neither may outlive itself.
    this.#unsubscribe = options.identities.onChange(() => this.#sessions.clear())
  }

  /** How many sessions are kept. */
  get sessionCount(): number {
    return this.#sessions.size
  }

  /**
   * Resolves with a connection whose peer has proven to be `expectedIdentity`, before a byte was sent to it.
   * Rejects with IDENTITY_MISSING, IDENTITY_EXPIRED, UPSTREAM_CONNECT_FAILED, UPSTREAM_CONNECT_TIMEOUT, TLS_REFUSED or a code of
   * `verifyPeer`.
   */
  connect(target: MeshTarget): Promise<TLSSocket> {
    const identity = this.#identities.current
    if (identity === undefined) {
      return Promise.reject(new WeftError('IDENTITY_MISSING', 'mesh TLS cannot be opened yet'))
    }
    // The peer would refuse us; said here, it is clear whose certificate it is.
    if (identity.notAfterMs <= this.#clock.wallMs())
      return Promise.reject(new WeftError('IDENTITY_EXPIRED', 'mesh TLS cannot be opened any more'))
    return new Promise((resolve, reject) => this.#dial(target, identity, resolve, reject))
  }

  /** Forgets the sessions and takes no further identities; connections that stand are left alone. */
  close(): void {
    this.#unsubscribe()
    this.#sessions.clear()
  }

  #dial(
    target: MeshTarget,
    identity: Identity,
    resolve: (tls: TLSSocket) => void,
    reject: (error: WeftError) => void,
  ): void {
    const peer = formatAddress(target)
    const key = `${peer} ${target.alpn} ${target.expectedIdentity ?? ''}`
    const session = this.#sessionFor(key)
    const options: ConnectionOptions & { allowHalfOpen: boolean } = {
      host: target.host,
      port: target.port,
      secureContext: identity.secureContext,
      rejectUnauthorized: true,
      ...(target.alpn === '' ? {} : { ALPNProtocols: [target.alpn] }),
      ...(target.serverName === undefined ? {} : { servername: target.serverName }),
      allowHalfOpen: true,
      // The name is a SPIFFE id, and is checked below.
      checkServerIdentity: () => undefined,
      ...(session === undefined ? {} : { session: session.ticket }),
    }
    const tls = connect(options)
    let settled = false
    const refuse = (error: unknown): void => {
      // Also after the handshake: an 'error' that nobody listens for would end the process.
      tls.destroy()
      if (settled) return
      settled = true
      timer.cancel()
      this.#sessions.delete(key)
      reject(tlsFailure(error, tls.authorizationError, peer))
    }
    const timer = this.#clock.deadline(target.timeoutMs, () => {
      refuse(
        new WeftError('UPSTREAM_CONNECT_TIMEOUT', `${peer} did not complete within ${target.timeoutMs} ms`),
      )
    })
    tls.on('error', refuse)
    tls.once('close', () => refuse(new WeftError('TLS_REFUSED', `${peer} closed the connection`)))
    tls.setNoDelay(true)
    tls.setKeepAlive(true, keepAliveProbeMs)
    if (target.onConnected !== undefined) tls.once('connect', target.onConnected)
    tls.once('secureConnect', () => {
      if (settled) return
      try {
        const verified = this.#verify(tls, target, peer, session)
        tls.on('session', (ticket: Buffer) => this.#keep(key, { ticket, peer: verified }, identity))
        settled = true
        timer.cancel()
        resolve(tls)
      } catch (error) {
        refuse(error)
      }
    })
  }

  #verify(tls: TLSSocket, target: MeshTarget, peer: string, session: Session | undefined): VerifiedPeer {
    if (target.alpn !== '' && tls.alpnProtocol !== target.alpn) {
      throw new WeftError('TLS_REFUSED', `${peer} does not speak ${target.alpn}`)
    }
    // Node has no certificate of the server on a resumed session. None is needed: only the process that was verified
    // when the session began can resume it, and sessions are kept by endpoint and expected identity.
    if (tls.isSessionReused() && session !== undefined) return session.peer
    return this.#verifier.verifyPeer(tls, { role: 'server', expectedIdentity: target.expectedIdentity })
  }

  /** A session stands for the peer's certificate of then, so it ends with that. */
  #sessionFor(key: string): Session | undefined {
    const session = this.#sessions.get(key)
    if (session === undefined || session.peer.notAfterMs > this.#clock.wallMs()) return session
    this.#sessions.delete(key)
    return undefined
  }

  #keep(key: string, session: Session, identity: Identity): void {
    // Tickets may arrive long after the handshake, when another identity is in use already.
    if (identity !== this.#identities.current) return
    this.#sessions.delete(key)
    this.#sessions.set(key, session)
    if (this.#sessions.size <= MOST_SESSIONS) return
    const oldest = this.#sessions.keys().next()
    if (oldest.done !== true) this.#sessions.delete(oldest.value)
  }
}
