/** One replica of several does what only one is to do: the holder of a Lease, as Kubernetes' own controllers have it. */
import { Backoff } from '../../core/backoff.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import { WeftError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import { OutageLog } from '../../core/outage-log.ts'
import type { KubernetesClient } from '../../core/kubernetes/api-client.ts'
import { failureOf } from '../../core/kubernetes/api-failure.ts'

export type LeaseLeaderOptions = {
  readonly client: KubernetesClient
  readonly clock: Clock
  readonly log: Log
  readonly namespace: string
  readonly name: string
  /** Who we are; no other replica is called so. */
  readonly identity: string
  readonly onElected: () => void
}

type Spec = {
  readonly holderIdentity?: string
  readonly leaseDurationSeconds?: number
  readonly acquireTime?: string
  readonly renewTime?: string
  readonly leaseTransitions?: number
}
type Lease = { readonly metadata?: object; readonly spec?: Spec }

const leaseMs = 15_000
const renewEveryMs = 5_000
/** Sooner than the others may take over: two at a time there are never. */
const trustedMs = 10_000

export class LeaseLeader {
  readonly #options: LeaseLeaderOptions
  readonly #outages: OutageLog
  readonly #backoff = new Backoff({ baseMs: 500, maxMs: renewEveryMs })
  #timer: Timer | undefined
  #renewedMs: number | undefined
  /** Another one's last sign of life, by our own clock: theirs may be wrong. */
  #seen: { readonly mark: string; readonly atMs: number } | undefined
  #stopped = false
  #trying: Promise<void> | undefined

  constructor(options: LeaseLeaderOptions) {
    this.#options = options
    this.#outages = new OutageLog(options.log)
  }

  get leads(): boolean {
    return this.#renewedMs !== undefined && this.#options.clock.monotonicMs() - this.#renewedMs < trustedMs
  }

  start(): void {
    this.#trying = this.#tick()
  }

  /** Lets the others take over at once. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#trying
    if (!this.leads) return
    this.#renewedMs = undefined
    // What is not given back runs out.
    await this.#release().catch((error: unknown) => this.#outages.failed('release', error))
  }

  async #tick(): Promise<void> {
    let waitMs = renewEveryMs
    try {
      const led = this.leads
      if (await this.#acquire()) {
        this.#renewedMs = this.#options.clock.monotonicMs()
        if (!led) this.#options.log.info({ lease: this.#options.name }, 'this replica leads')
        if (!led) this.#options.onElected()
      } else {
        this.#renewedMs = undefined
      }
      this.#outages.over('lease')
      this.#backoff.reset()
    } catch (error) {
      this.#outages.failed('lease', error)
      waitMs = this.#backoff.nextMs()
    }
    if (this.#stopped) return
    this.#timer = this.#options.clock.after(waitMs, () => {
      this.#trying = this.#tick()
    })
  }

  get #path(): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${this.#options.namespace}/leases`
  }

  async #read(): Promise<Lease | undefined> {
    const reply = await this.#options.client.request('GET', `${this.#path}/${this.#options.name}`)
    if (reply.status === 404) return undefined
    if (reply.status !== 200) throw failureOf(reply, 'reading the Lease')
    return reply.body as Lease
  }

  /** Whether it was written: no is that somebody else was faster. */
  async #write(lease: Lease | undefined, spec: Spec): Promise<boolean> {
    const { client, namespace, name } = this.#options
    const head = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }
    const reply =
      lease === undefined
        ? await client.request('POST', this.#path, { ...head, metadata: { namespace, name }, spec })
        : await client.request('PUT', `${this.#path}/${name}`, { ...lease, spec })
    if (reply.status === 409) return false
    if (reply.status !== 200 && reply.status !== 201) throw failureOf(reply, 'writing the Lease')
    return true
  }

  async #acquire(): Promise<boolean> {
    const lease = await this.#read()
    const { identity, clock } = this.#options
    const spec = lease?.spec ?? {}
    const mine = spec.holderIdentity === identity
    if (!mine && !this.#isFree(spec)) return false
    const now = microTime(clock.wallMs())
    return this.#write(lease, {
      holderIdentity: identity,
      leaseDurationSeconds: leaseMs / 1000,
      acquireTime: mine ? (spec.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (spec.leaseTransitions ?? 0) + (mine || lease === undefined ? 0 : 1),
    })
  }

  #isFree({ holderIdentity = '', renewTime = '', leaseDurationSeconds }: Spec): boolean {
    if (holderIdentity === '') return true
    const nowMs = this.#options.clock.monotonicMs()
    const mark = `${holderIdentity} ${renewTime}`
    if (this.#seen?.mark !== mark) this.#seen = { mark, atMs: nowMs }
    return nowMs - this.#seen.atMs > (leaseDurationSeconds ?? leaseMs / 1000) * 1000
  }

  async #release(): Promise<void> {
    const lease = await this.#read()
    if (lease?.spec?.holderIdentity !== this.#options.identity) return
    if (!(await this.#write(lease, { ...lease.spec, holderIdentity: '' })))
      throw new WeftError('KUBERNETES_FAILED', 'the Lease changed while it was given back')
  }
}

/** Kubernetes writes microseconds. */
function microTime(wallMs: number): string {
  return new Date(wallMs).toISOString().replace('Z', '000Z')
}
