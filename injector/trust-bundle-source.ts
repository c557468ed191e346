/** What the control plane is trusted by, as it publishes it: a ConfigMap that is looked at now and then. */
import { trustBundleKey } from '../api/deployment.ts'
import type { Clock, Timer } from '../core/clock.ts'
import { failureFields, reasonOf, WeftError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { KubernetesApi } from '../core/kubernetes/api-client.ts'
import { failureOf } from '../core/kubernetes/api-failure.ts'

/** The control plane makes it when it starts for the first time. */
const missingAgainMs = 2_000
const checkEveryMs = 30_000

export type TrustBundleParts = {
  readonly api: KubernetesApi
  readonly namespace: string
  readonly name: string
  readonly clock: Clock
  readonly log: Log
}

export class TrustBundleSource {
  readonly #parts: TrustBundleParts
  #pem: string | undefined
  #problem = 'it was not read yet'
  #timer: Timer | undefined
  #stopped = false

  constructor(parts: TrustBundleParts) {
    this.#parts = parts
  }

  /** Resolves when it was looked for once, found or not. */
  async start(): Promise<void> {
    try {
      const pem = await this.#read()
      if (pem !== this.#pem) this.#parts.log.info('the trust bundle is there, or has changed')
      this.#pem = pem
    } catch (error) {
      this.#problem = reasonOf(error)
      this.#parts.log.warn(failureFields(error), 'the trust bundle could not be read; it is tried again')
    }
    if (this.#stopped) return
    const delayMs = this.#pem === undefined ? missingAgainMs : checkEveryMs
    this.#timer = this.#parts.clock.after(delayMs, () => void this.start())
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** True, or why there is none. */
  readiness(): true | string {
    return this.#pem === undefined ? this.#problem : true
  }

  /** The last that was read; throws KUBERNETES_FAILED while there is none. */
  get pem(): string {
    if (this.#pem === undefined)
      throw new WeftError('KUBERNETES_FAILED', `there is no trust bundle: ${this.#problem}`)
    return this.#pem
  }

  async #read(): Promise<string> {
    const { api, namespace, name } = this.#parts
    const reply = await api.request('GET', `/api/v1/namespaces/${namespace}/configmaps/${name}`)
    const what = `reading ConfigMap ${namespace}/${name}`
    if (reply.status !== 200) throw failureOf(reply, what)
    const pem = (reply.body as { data?: Readonly<Record<string, unknown>> }).data?.[trustBundleKey]
    if (typeof pem === 'string' && pem.includes('-----BEGIN CERTIFICATE-----')) return pem
    throw new WeftError(
      'KUBERNETES_FAILED',
      `${what}: the control plane has not put ${trustBundleKey} there yet`,
    )
  }
}
