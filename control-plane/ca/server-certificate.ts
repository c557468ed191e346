/** The certificate of the control plane's own gRPC server: from its own CA, replaced while the server runs. */
import { webcrypto } from 'node:crypto'
import type { ServerCredentials } from '@grpc/grpc-js'
import { Backoff } from '../../core/backoff.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import { failureFields } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { CertificateAuthority } from './certificate-authority.ts'
import { MeshServerCredentials } from './server-credentials.ts'
import { SIGNING } from './x509.ts'

/** The wall clock may jump, so a renewal is never further away than one look at it; sidecars wait for us meanwhile. */
const LONGEST_SLEEP_MS = 2_000
/** A clock that went back further than certificates are backdated makes ours one of the future. */
const LARGEST_STEP_BACK_MS = 60_000

export type ServerCertificateOptions = {
  readonly authority: CertificateAuthority
  /** Names that clients use; `localhost` and the loopback addresses are added. */
  readonly dnsNames: readonly string[]
  readonly ipAddresses?: readonly string[]
  /** The roots, PEM, that clients' certificates are verified against. */
  readonly clientRoots: () => string
  readonly clock: Clock
  readonly log: Log
}

export class ServerCertificate {
  readonly #options: ServerCertificateOptions
  readonly #credentials = new MeshServerCredentials()
  readonly #backoff = new Backoff({ baseMs: 1000, maxMs: 60_000 })
  #current: { readonly certificatePem: string; readonly keyPem: string } | undefined
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

  /** Other roots are trusted, or another issuer signs: whoever comes next is judged and answered by these. Never rejects. */
  async renew(): Promise<void> {
    this.#show()
    this.#renewAtMs = 0
    this.#timer?.cancel()
    await this.#renew()
  }

  /** The chain that is served now, PEM; empty before `start`. */
  get chainPem(): string {
    return this.#current?.certificatePem ?? ''
  }

  /** For a grpc-js server; connections that stand are not touched by a renewal. */
  get credentials(): ServerCredentials {
    return this.#credentials
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
    this.#current = { certificatePem: issued.chainPem.join(''), keyPem }
    this.#show()
  }

  #show(): void {
    const { clientRoots } = this.#options
    if (this.#current !== undefined)
      this.#credentials.use({ ...this.#current, clientRootsPem: clientRoots() })
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
