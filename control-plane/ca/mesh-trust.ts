/** The mesh's trust over time: read from where it is kept, led from phase to phase, and told to all who depend on it. */
import { nextPhase, type RotationPhase } from '../../api/rotation.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import { failureFields, WeftError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import { stagedTrust } from './staged-trust.ts'
import { loadTrust, nextTrust, type Trust, type TrustPem } from './trust.ts'
import type { TrustStore } from './trust-store.ts'

/** What another replica, or whoever keeps the files, has changed is known after this. */
const lookEveryMs = 2_000

export type MeshTrustOptions = {
  readonly store: TrustStore
  readonly trustDomain: string
  readonly clock: Clock
  readonly log: Log
  /** Whether every sidecar is where the trust in force leads; what is kept outside of weft is taken step by step. */
  readonly followed?: (trust: Trust) => boolean
}

export class MeshTrust {
  readonly #options: MeshTrustOptions
  readonly #listeners = new Set<(trust: Trust) => void>()
  #current: Trust
  #pem: TrustPem
  /** As it was offered last; once it is in force there is nothing to do. */
  #offered: string
  #timer: Timer | undefined
  #stopped = false
  #refusal = ''

  private constructor(options: MeshTrustOptions, trust: Trust, pem: TrustPem) {
    this.#options = options
    this.#current = trust
    this.#pem = pem
    this.#offered = JSON.stringify(pem)
  }

  /** Reads what is kept, or makes it. Rejects with what the store rejects with, STATE_FILE_INVALID or CA_EXPIRED. */
  static async open(options: MeshTrustOptions): Promise<MeshTrust> {
    const { pem } = await options.store.load()
    const trust = await loadTrust(pem, { ...options, names: options.store.names })
    return new MeshTrust(options, trust, pem)
  }

  get current(): Trust {
    return this.#current
  }

  /** Whether `advance` can replace the root; otherwise whoever keeps it does. */
  get rotates(): boolean {
    return this.#options.store.rotates
  }

  /** Calls back on every change, in the order of the calls. */
  onChange(listener: (trust: Trust) => void): void {
    this.#listeners.add(listener)
  }

  /** Looks for changes from now on, until `stop`. */
  watch(): void {
    if (this.#stopped) return
    this.#timer = this.#options.clock.after(lookEveryMs, () => {
      void this.refresh().finally(() => this.watch())
    })
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** Takes what is kept now. Never rejects: what cannot be read is told once, and what is in force stays. */
  async refresh(): Promise<void> {
    try {
      const { pem } = await this.#options.store.load()
      await this.#take(pem)
      this.#refusal = ''
    } catch (error) {
      const { log } = this.#options
      const fields = failureFields(error)
      const refusal = JSON.stringify(fields)
      if (refusal !== this.#refusal)
        log.error(fields, 'what the mesh is to trust is not usable; the last good stays')
      this.#refusal = refusal
    }
  }

  /** Begins the phase `to`. Rejects with ROTATION_REFUSED when that is not the next one, and with what the store does. */
  async advance(to: RotationPhase): Promise<Trust> {
    const { store, trustDomain, clock, log } = this.#options
    if (!store.rotates)
      throw new WeftError(
        'ROTATION_REFUSED',
        'the issuer of this mesh is kept, and replaced, outside of weft',
      )
    const kept = await store.load()
    await this.#take(kept.pem)
    const { phase } = this.#current
    if (nextPhase[phase] !== to)
      throw new WeftError('ROTATION_REFUSED', `after ${phase} comes ${nextPhase[phase]}, not ${to}`)
    const next = await nextTrust(kept.pem, trustDomain, clock)
    if (!(await kept.replace(next)))
      throw new WeftError('ROTATION_REFUSED', 'another replica has changed the phase meanwhile')
    await this.#take(next)
    log.info({ audit: 'rotation', phase: to, bundle: this.#current.bundle }, 'the rotation goes on')
    return this.#current
  }

  async #take(offered: TrustPem): Promise<void> {
    const text = JSON.stringify(offered)
    if (text === this.#offered && text === JSON.stringify(this.#pem)) return
    const pem = this.rotates ? offered : await this.#staged(offered)
    this.#offered = text
    if (JSON.stringify(pem) === JSON.stringify(this.#pem)) return
    const trust = await this.#load(pem)
    this.#pem = pem
    this.#current = trust
    for (const listener of this.#listeners) listener(trust)
    this.#options.log.info({ phase: trust.phase, bundle: trust.bundle }, 'the trust of the mesh has changed')
  }

  async #staged(offered: TrustPem): Promise<TrustPem> {
    const { rootPem } = (await this.#load(offered)).issuer
    const { followed = () => true } = this.#options
    const current = { pem: this.#pem, rootPem: this.#current.issuer.rootPem }
    // Who signs for the control plane alone is nobody's concern.
    if (offered.external === true) return offered
    return stagedTrust(current, { pem: offered, rootPem }, followed(this.#current))
  }

  #load(pem: TrustPem): Promise<Trust> {
    const { store, trustDomain, clock } = this.#options
    return loadTrust(pem, { names: store.names, trustDomain, clock })
  }
}
