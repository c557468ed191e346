/** The certificate in use: made, made known to the API server, kept known, and replaced at half its life. */
import { Backoff } from '../core/backoff.ts'
import type { Clock, Timer } from '../core/clock.ts'
import { failureFields, reasonOf } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import {
  certificateLifetimeMs,
  makeWebhookCertificate,
  type WebhookCertificate,
} from './webhook-certificate.ts'

export type WebhookIdentityParts = {
  readonly dnsNames: readonly string[]
  readonly clock: Clock
  readonly log: Log
  /** Makes the API server trust a certificate, beside all that it trusts already. */
  readonly register: (certificatePem: string) => Promise<void>
  readonly onReplaced: (certificate: WebhookCertificate) => void
}

/** Manifests may have been applied anew, and other replicas crowd ours out: ours is put back. */
const checkEveryMs = 30_000
/** All API servers have seen the new configuration by then. */
const settleMs = 10_000

export class WebhookIdentity {
  readonly #parts: WebhookIdentityParts
  readonly #backoff = new Backoff({ baseMs: 500, maxMs: 30_000 })
  #served: WebhookCertificate
  /** Registered, and not yet served. */
  #next: WebhookCertificate | undefined
  #servesNextAtMs = 0
  #problem: string | undefined = 'it is not yet known to the API server'
  #timer: Timer | undefined
  #stopped = false

  private constructor(parts: WebhookIdentityParts, first: WebhookCertificate) {
    this.#parts = parts
    this.#served = first
  }

  /** Makes the first certificate; `start` makes it known. */
  static async make(parts: WebhookIdentityParts): Promise<WebhookIdentity> {
    const first = await makeWebhookCertificate(parts.dnsNames, parts.clock.wallMs())
    return new WebhookIdentity(parts, first)
  }

  /** What is to be served. */
  get certificate(): WebhookCertificate {
    return this.#served
  }

  /** Resolves when the first attempt to make it known has ended, one way or the other. */
  start(): Promise<void> {
    return this.#turn()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** True once the API server trusts what is served, or why it does not. */
  readiness(): true | string {
    return this.#problem ?? true
  }

  async #turn(): Promise<void> {
    let delayMs: number
    try {
      delayMs = await this.#renew()
      this.#backoff.reset()
      this.#problem = undefined
    } catch (error) {
      this.#parts.log.warn(failureFields(error), 'the webhook could not be registered; it is tried again')
      // One that is known stays known: only before that is this replica of no use.
      if (this.#problem !== undefined) this.#problem = reasonOf(error)
      delayMs = this.#backoff.nextMs()
    }
    if (this.#stopped) return
    this.#timer = this.#parts.clock.after(delayMs, () => void this.#turn())
  }

  /** Old and new are trusted before the new one is served. Gives the time to the next look. */
  async #renew(): Promise<number> {
    const { clock, dnsNames, register, onReplaced, log } = this.#parts
    await register(this.#served.certificatePem)
    const nowMs = clock.wallMs()
    if (this.#next === undefined && nowMs > this.#served.notAfterMs - certificateLifetimeMs / 2) {
      this.#next = await makeWebhookCertificate(dnsNames, nowMs)
      this.#servesNextAtMs = Number.POSITIVE_INFINITY
    }
    const next = this.#next
    if (next === undefined) return checkEveryMs
    await register(next.certificatePem)
    this.#servesNextAtMs = Math.min(this.#servesNextAtMs, clock.monotonicMs() + settleMs)
    if (clock.monotonicMs() < this.#servesNextAtMs) return settleMs
    onReplaced(next)
    this.#served = next
    this.#next = undefined
    log.info(
      { notAfter: new Date(next.notAfterMs).toISOString() },
      'the certificate of the webhook is renewed',
    )
    return checkEveryMs
  }
}
