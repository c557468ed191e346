/** The certificate of the control plane's own gRPC server: from its own CA, replaced while the server runs. */
import { webcrypto } from 'node:crypto'
import { type ServerCredentials, experimental } from '@grpc/grpc-js'
import { Backoff } from '../../core/backoff.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import { failureFields } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { CertificateAuthority } from './certificate-authority.ts'
import { SIGNING } from './x509.ts'

type IdentityUpdate = { readonly certificate: Buffer; readonly privateKey: Buffer }
type IdentityListener = (update: IdentityUpdate | null) => void

/** The wall clock may jump, so a renewal is never further away than one look at it; sidecars wait for us meanwhile. */
const LONGEST_SLEEP_MS = 2_000
/** A clock that went back further than certificates are backdated makes ours one of the future. */
const LARGEST_STEP_BACK_MS = 60_000

export type ServerCertificateOptions = {
  readonly authority: CertificateAuthority
  /** Names that clients use; `localhost` and the loopback addresses are added. */
  readonly dnsNames: readonly string[]
  readonly ipAddresses?: readonly string[]
  readonly clock: Clock
  readonly log: Log
}

export class ServerCertificate {
  readonly #options: ServerCertificateOptions
  readonly #listeners = new Set<IdentityListener>()
  readonly #backoff = new Backoff({ baseMs: 1000, maxMs: 60_000 })
  #current: IdentityUpdate | null = null
  #renewAtMs = 0
  #hadAtMs = 0
  #timer: Timer | undefined
  #stopped = false

  constructor(options: ServerCertificateOptions) {
    this.#options = options
  }

  /** Issues the first certificate. Throws CA_EXPIRED. Renews at half-life until `stop`. */
  async start(): Promise<void> {
    await this.#issue()
    this.#schedule(LONGEST_SLEEP_MS)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** Another issuer signs from now on: whoever comes next is shown its certificate. Never rejects. */
  async renew(): Promise<void> {
    this.#renewAtMs = 0
    this.#timer?.cancel()
    await this.#renew()
  }

  /** The chain that is served now, PEM; empty before `start`. */
  get chainPem(): string {
    return this.#current?.certificate.toString() ?? ''
  }

  /** Credentials for a grpc-js server; connections that stand are not touched by a renewal. */
  credentials(): ServerCredentials {
    const provider = {
      addCaCertificateListener: () => {},
      removeCaCertificateListener: () => {},
      addIdentityCertificateListener: (listener: IdentityListener) => {
        this.#listeners.add(listener)
        // Only then is the server itself listening to the credentials, which tell nobody who comes later.
        queueMicrotask(() => listener(this.#current))
      },
      removeIdentityCertificateListener: (listener: IdentityListener) =>
        void this.#listeners.delete(listener),
    }
    // The library's types name the two providers in the wrong order: the first is the server's own certificate.
    return experimental.createCertificateProviderServerCredentials(provider, null, false)
  }

  async #issue(): Promise<void> {
    const { authority, dnsNames, ipAddresses = [], clock } = this.#options
    const keys = await webcrypto.subtle.generateKey(SIGNING, true, ['sign', 'verify'])
    const issued = await authority.issueServer(keys.publicKey, {
      dns: [...new Set([...dnsNames, 'localhost'])],
      ip: [...new Set([...ipAddresses, '127.0.0.1', '::1'])],
    })
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
    const keyPem = `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/.{64}(?=.)/g, '$&\n')}\n-----END PRIVATE KEY-----\n`
    const nowMs = clock.wallMs()
    this.#hadAtMs = nowMs
    this.#renewAtMs = nowMs + (issued.notAfterMs - nowMs) / 2
    this.#current = { certificate: Buffer.from(issued.chainPem.join('')), privateKey: Buffer.from(keyPem) }
    for (const listener of this.#listeners) listener(this.#current)
  }

  #schedule(delayMs: number): void {
    if (this.#stopped) return
    this.#timer = this.#options.clock.after(delayMs, () => {
      if (this.#isDue()) void this.#renew()
      else this.#schedule(LONGEST_SLEEP_MS)
    })
  }

  #isDue(): boolean {
    const nowMs = this.#options.clock.wallMs()
    return nowMs >= this.#renewAtMs || nowMs < this.#hadAtMs - LARGEST_STEP_BACK_MS
  }

  async #renew(): Promise<void> {
    const { log } = this.#options
    try {
      await this.#issue()
      this.#backoff.reset()
      log.info('the certificate of the gRPC server is renewed')
      this.#schedule(LONGEST_SLEEP_MS)
    } catch (error) {
      log.error(failureFields(error), 'the certificate of the gRPC server could not be renewed')
      this.#schedule(this.#backoff.nextMs())
    }
  }
}
