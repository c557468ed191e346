/** Labels and annotations of namespaces, asked for when a pod is made: nobody else's pods are of interest. */
import type { Clock } from '../core/clock.ts'
import type { NamespaceMetadata } from './decide.ts'
import type { KubernetesApi } from '../core/kubernetes/api-client.ts'
import { failureOf } from '../core/kubernetes/api-failure.ts'

/** A Deployment makes many pods at once; an annotation that was just set counts for the next one. */
const freshMs = 1_000
const most = 10_000

type Kept = { readonly atMs: number; readonly metadata: Promise<NamespaceMetadata> }
type StringMap = Readonly<Record<string, string>>

export class Namespaces {
  readonly #api: KubernetesApi
  readonly #clock: Clock
  readonly #kept = new Map<string, Kept>()

  constructor(api: KubernetesApi, clock: Clock) {
    this.#api = api
    this.#clock = clock
  }

  /** Rejects with a KUBERNETES_ code; the next call asks again. */
  of(name: string): Promise<NamespaceMetadata> {
    const nowMs = this.#clock.monotonicMs()
    const kept = this.#kept.get(name)
    if (kept !== undefined && nowMs - kept.atMs < freshMs) return kept.metadata
    if (this.#kept.size >= most) this.#kept.clear()
    const metadata = this.#read(name)
    this.#kept.set(name, { atMs: nowMs, metadata })
    metadata.catch(() => this.#kept.delete(name))
    return metadata
  }

  async #read(name: string): Promise<NamespaceMetadata> {
    const reply = await this.#api.request('GET', `/api/v1/namespaces/${encodeURIComponent(name)}`)
    if (reply.status !== 200) throw failureOf(reply, `reading namespace ${name}`)
    const { metadata } = reply.body as { metadata?: { annotations?: StringMap; labels?: StringMap } }
    return { annotations: metadata?.annotations ?? {}, labels: metadata?.labels ?? {} }
  }
}
