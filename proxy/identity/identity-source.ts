/** Our own identity over time: enrols, renews at half-life, and replaces the snapshot that everyone reads. */
import { Backoff } from '../../core/backoff.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import { failureFields, WeftError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { OutageLog } from '../../core/outage-log.ts'
import type { CertificateIssuer } from './certificate-issuer.ts'
import { createCertificateRequest } from './certificate-request.ts'
import { type Identities, type Identity, type KeyAndCertificate, makeIdentity } from './identity.ts'
import type { IdentityStore } from './identity-store.ts'
import { checkOwnCertificate, makeKey, parseKey, rootOf } from './own-certificate.ts'
import { type TrustBundle, parseTrustBundle } from './trust-bundle.ts'

export type IdentitySourceOptions = {
  /** Our SPIFFE id, which the certificate must carry. */
  readonly principal: string
  readonly issuer: CertificateIssuer
  /** The roots to begin with, PEM; `setTrustBundle` replaces them. */
  readonly trustBundlePem: string
  readonly clock: Clock
  readonly log: Log
  readonly outages: OutageLog
  /** Where the identity outlives a restart; absent: nowhere. */
  readonly store?: IdentityStore
  readonly random?: () => number
}

/**
 * The wall clock may jump, or the machine sleep: expiry is looked at this often, whatever was planned. The control plane
 * may have to notice the same first, and both are to be well within a minute.
 */
const LONGEST_SLEEP_MS = 5_000
/** A clock that went back further than certificates are backdated makes ours one of the future. */
const LARGEST_STEP_BACK_MS = 60_000
const RETRY_BASE_MS = 500
const RETRY_MAX_MS = 30_000
/** Half of the lifetime, give or take this share of it, so that pods of one rollout do not renew at once. */
const JITTER = 0.1
/** With a new root everybody renews: spread over this, so that the CA is not asked by all at once. */
const NEW_ROOT_SPREAD_MS = 10_000
/** A control plane that comes back is asked by all who waited, spread over this. */
const BACK_SPREAD_MS = 2_000
const outageSource = 'identity'

export class IdentitySource implements Identities {
  readonly #options: IdentitySourceOptions
  readonly #backoff: Backoff
  readonly #random: () => number
  readonly #listeners = new Set<(identity: Identity) => void>()
  readonly #first = Promise.withResolvers<Identity>()
  #own: KeyAndCertificate | undefined
  #bundle: TrustBundle
  #current: Identity | undefined
  #renewAtMs = 0
  /** When the certificate was had, by the clock of then. */
  #hadAtMs = 0
  #timer: Timer | undefined
  #enrolling = false
  /** The roots changed while a request was on its way. */
  #renewAgain = false
  #expiryToldMs = 0
  #stopped = false

  /** Throws CERTIFICATE_INVALID if the trust bundle is not usable. */
  constructor(options: IdentitySourceOptions) {
    this.#options = options
    this.#random = options.random ?? Math.random
    this.#backoff = new Backoff({ baseMs: RETRY_BASE_MS, maxMs: RETRY_MAX_MS, random: this.#random })
    this.#bundle = parseTrustBundle(options.trustBundlePem)
  }

  /** The identity in use; undefined until the first enrolment succeeded. */
  get current(): Identity | undefined {
    return this.#current
  }

  /** The roots in use. */
  get bundle(): TrustBundle {
    return this.#bundle
  }

  /** Resolves with the first identity, however long that takes. */
  get ready(): Promise<Identity> {
    return this.#first.promise
  }

  onChange(listener: (identity: Identity) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** True, or why mesh TLS does not work now; for /ready. */
  readiness(): true | string {
    if (this.#current === undefined) return 'no certificate yet'
    return this.#current.notAfterMs > this.#options.clock.wallMs() ? true : 'the certificate has expired'
  }

  /** Takes what was kept, if it is still good, and begins to enrol and renew. Never rejects. */
  async start(): Promise<void> {
    await this.#restore()
    if (this.#current === undefined) await this.#enrol()
    else this.#schedule()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** SHA-256 of the root that the certificate in use leads to. */
  get certificateRoot(): string | undefined {
    return this.#own && rootOf(this.#own.certificatePem, this.#bundle)?.fingerprint256
  }

  /** New roots, from the control plane, the one that issues first. Throws CERTIFICATE_INVALID and keeps the old ones. */
  setTrustBundle(pem: string): void {
    const bundle = parseTrustBundle(pem)
    if (bundle.pem === this.#bundle.pem) return
    const sameRoots = bundle.version === this.#bundle.version
    if (this.#own !== undefined && !sameRoots) this.#publish(this.#own, bundle)
    this.#bundle = bundle
    if (!sameRoots)
      this.#options.log.info({ version: bundle.version, roots: bundle.roots.length }, 'new trust bundle')
    const root = this.certificateRoot
    if (root === undefined) this.#renewWithin(0)
    else if (root !== bundle.roots[0]?.fingerprint256) this.#renewWithin(NEW_ROOT_SPREAD_MS)
  }

  /** After a change of roots: the certificate in use is none of theirs, or not of the one that issues now. */
  #renewWithin(spreadMs: number): void {
    const delayMs = spreadMs * this.#random()
    this.#renewAtMs = Math.min(this.#renewAtMs, this.#options.clock.wallMs() + delayMs)
    if (this.#enrolling) this.#renewAgain = true
    else this.#scheduleIn(delayMs)
  }

  /** The control plane has answered: what waits for another attempt need not wait for long. */
  controlPlaneIsBack(): void {
    if (this.#enrolling || this.#stopped || !this.#isDue()) return
    this.#scheduleIn(BACK_SPREAD_MS * this.#random())
  }

  async #restore(): Promise<void> {
    const { store, principal, clock, log } = this.#options
    try {
      const stored = await store?.load()
      if (stored === undefined) return
      const key = parseKey(stored.keyPem)
      const chainPem = stored.certificatePem
      const own = checkOwnCertificate({
        key,
        chainPem,
        principal,
        bundle: this.#bundle,
        nowMs: clock.wallMs(),
      })
      this.#renewAtMs = this.#halfLife(own.notBeforeMs, own.notAfterMs)
      this.#hadAtMs = own.notBeforeMs
      this.#publish(own)
      log.info({ notAfter: new Date(own.notAfterMs).toISOString() }, 'the certificate kept is still good')
    } catch (error) {
      log.warn(failureFields(error), 'the identity kept is not used')
    }
  }

  async #enrol(): Promise<void> {
    if (this.#enrolling) return
    const { principal, issuer, clock, log, outages } = this.#options
    this.#enrolling = true
    try {
      const key = makeKey()
      const chain = await issuer.issue(createCertificateRequest(key, principal))
      const chainPem = chain.join('\n')
      const nowMs = clock.wallMs()
      const own = checkOwnCertificate({ key, chainPem, principal, bundle: this.#bundle, nowMs })
      this.#renewAtMs = this.#halfLife(nowMs, own.notAfterMs)
      this.#hadAtMs = nowMs
      this.#publish(own)
      this.#backoff.reset()
      outages.over(outageSource)
      log.info({ principal, notAfter: new Date(own.notAfterMs).toISOString() }, 'enrolled')
      if (this.#renewAgain) this.#renewAtMs = nowMs
      this.#renewAgain = false
      this.#schedule()
      await this.#keep(own)
    } catch (error) {
      const retryInMs = Math.round(this.#backoff.nextMs())
      outages.failed(outageSource, enrolmentFailure(error), { retryInMs })
      this.#noticeExpiry()
      this.#scheduleIn(retryInMs)
    } finally {
      this.#enrolling = false
    }
  }

  async #keep(own: KeyAndCertificate): Promise<void> {
    try {
      await this.#options.store?.save(own)
    } catch (error) {
      this.#options.log.warn(failureFields(error), 'the identity could not be kept on disk')
    }
  }

  #publish(own: KeyAndCertificate, bundle: TrustBundle = this.#bundle): void {
    const identity = makeIdentity(this.#options.principal, own, bundle, this.#current)
    this.#own = own
    this.#current = identity
    for (const listener of this.#listeners) listener(identity)
    this.#first.resolve(identity)
  }

  /** Once per certificate: from now on nobody is reached over mesh TLS, nor reaches us. */
  #noticeExpiry(): void {
    const { clock, log, principal } = this.#options
    const notAfterMs = this.#current?.notAfterMs
    if (notAfterMs === undefined || notAfterMs > clock.wallMs() || notAfterMs === this.#expiryToldMs) return
    this.#expiryToldMs = notAfterMs
    const ended = new Date(notAfterMs).toISOString()
    log.error(
      { code: 'CERTIFICATE_EXPIRED', reason: `the certificate of ${principal} ended at ${ended}` },
      'new mesh connections fail until a new certificate is had; those that stand go on',
    )
  }

  #halfLife(fromMs: number, toMs: number): number {
    return fromMs + (toMs - fromMs) * (0.5 + (this.#random() * 2 - 1) * JITTER)
  }

  #schedule(): void {
    this.#scheduleIn(Math.max(0, this.#renewAtMs - this.#options.clock.wallMs()))
  }

  #scheduleIn(delayMs: number): void {
    this.#timer?.cancel()
    if (this.#stopped) return
    this.#timer = this.#options.clock.after(Math.min(delayMs, LONGEST_SLEEP_MS), () => {
      if (this.#isDue()) void this.#enrol()
      else this.#schedule()
    })
  }

  #isDue(): boolean {
    const nowMs = this.#options.clock.wallMs()
    return nowMs >= this.#renewAtMs || nowMs < this.#hadAtMs - LARGEST_STEP_BACK_MS
  }
}

function enrolmentFailure(cause: unknown): WeftError {
  return cause instanceof WeftError ? cause : new WeftError('ENROLMENT_FAILED', String(cause), { cause })
}
