/** The trust of a mesh in a Secret of its cluster, so that every replica signs with the same key, in the same phase. */
import type { Clock } from '../../core/clock.ts'
import { WeftError } from '../../core/errors.ts'
import type { KubernetesClient } from '../../core/kubernetes/api-client.ts'
import { failureOf } from '../../core/kubernetes/api-failure.ts'
import type { Log } from '../../core/log.ts'
import { makeRoot } from './root.ts'
import type { TrustPem } from './trust.ts'
import { type KeptTrust, trustFields, trustOfFields, type TrustStore } from './trust-store.ts'

/** More replicas than that never start at the same moment. */
const attempts = 10

export type SecretName = { readonly namespace: string; readonly name: string }

export type Secret = {
  readonly metadata?: { readonly resourceVersion?: unknown }
  readonly data?: Readonly<Record<string, unknown>> | null
}

/** The texts in a Secret by field. */
export function secretTexts(secret: Secret): Readonly<Record<string, string | undefined>> {
  const entries = Object.entries(secret.data ?? {})
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : undefined,
    ]),
  )
}

/** undefined: there is no such Secret. Rejects with a KUBERNETES_ code. */
export async function readSecret(client: KubernetesClient, secret: SecretName): Promise<Secret | undefined> {
  const { namespace, name } = secret
  const reply = await client.request('GET', `/api/v1/namespaces/${namespace}/secrets/${name}`)
  if (reply.status !== 200 && reply.status !== 404)
    throw failureOf(reply, `reading Secret ${namespace}/${name}`)
  return reply.status === 404 ? undefined : (reply.body as Secret)
}

/** What a replaced or a used up field holds is taken out, and what is not ours stays. */
function dataOf(found: Secret | undefined, pem: TrustPem): Readonly<Record<string, unknown>> {
  const data: Record<string, unknown> = { ...found?.data }
  for (const [name, text] of Object.entries(trustFields(pem)))
    if (text === '') delete data[name]
    else data[name] = Buffer.from(text).toString('base64')
  return data
}

export class TrustSecret implements TrustStore {
  readonly rotates = true
  readonly names: TrustStore['names']
  readonly #options: {
    readonly client: KubernetesClient
    readonly secret: SecretName
    readonly trustDomain: string
    readonly clock: Clock
    readonly log: Log
  }
  readonly #where: string

  constructor(options: {
    readonly client: KubernetesClient
    readonly secret: SecretName
    readonly trustDomain: string
    readonly clock: Clock
    readonly log: Log
  }) {
    this.#options = options
    this.#where = `Secret ${options.secret.namespace}/${options.secret.name}`
    this.names = { key: `tls.key of ${this.#where}`, certificate: `tls.crt of ${this.#where}` }
  }

  /**
   * A Secret that is there without a root is filled, so that who may update that one only needs no right to make others.
   */
  async load(): Promise<KeptTrust> {
    const { client, secret, trustDomain, clock, log } = this.#options
    const half = () =>
      new WeftError('STATE_FILE_INVALID', `${this.#where} must have both the key and the certificate`)
    for (let attempt = 0; attempt < attempts; attempt++) {
      const found = await readSecret(client, secret)
      const kept = found === undefined ? undefined : trustOfFields(secretTexts(found), half)
      if (kept !== undefined) return { pem: kept, replace: (next) => this.#write(found, next) }
      // Another replica may be first: what it makes counts.
      if (await this.#write(found, { issuer: await makeRoot(trustDomain, clock) }))
        log.info({ secret: this.#where }, 'made a new root')
    }
    throw new WeftError('KUBERNETES_FAILED', `${this.#where} changes all the time`)
  }

  /** Makes the Secret, or replaces it as it was read: of several replicas, only one succeeds. */
  async #write(found: Secret | undefined, pem: TrustPem): Promise<boolean> {
    const { client, secret } = this.#options
    const { namespace, name } = secret
    const path = `/api/v1/namespaces/${namespace}/secrets`
    const data = dataOf(found, pem)
    const reply =
      found === undefined
        ? await client.request('POST', path, {
            apiVersion: 'v1',
            kind: 'Secret',
            type: 'kubernetes.io/tls',
            metadata: { namespace, name },
            data,
          })
        : await client.request('PUT', `${path}/${name}`, { ...found, data })
    if (reply.status === 409) return false
    if (reply.status !== 200 && reply.status !== 201) throw failureOf(reply, `writing ${this.#where}`)
    return true
  }
}
