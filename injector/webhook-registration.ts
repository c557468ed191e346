/** Puts the certificate of the webhooks where the API server looks: into the `caBundle` of what makes it ask them. */
import { toWeftError, WeftError } from '../core/errors.ts'
import type { KubernetesApi } from '../core/kubernetes/api-client.ts'
import { failureOf } from '../core/kubernetes/api-failure.ts'
import { withCertificate } from './ca-bundle.ts'

type Bundle = (caBundle: string) => string

/** An object of the API server that holds our `caBundle`. */
export type Registration = {
  /** For people. */
  readonly name: string
  readonly path: string
  /** Without it there is nothing to be asked about, and that is no failure. */
  readonly isOptional: boolean
  /** The object with `change` made to each of our bundles. */
  readonly withBundles: (object: object, change: Bundle) => object
}

/** More replicas than that never write at the same moment. */
const attempts = 10

/** The object as it is to be written; undefined when it is so already. */
function changed({ withBundles }: Registration, object: object, bundle: Bundle): object | undefined {
  let isChanged = false
  const wanted = withBundles(object, (known) => {
    const next = bundle(known)
    isChanged ||= next !== known
    return next
  })
  return isChanged ? wanted : undefined
}

/**
 * Adds the certificate to what other replicas have put there, and takes out what has expired; writes only when something
 * changes. Where one fails the others are seen to all the same; then it rejects, with a KUBERNETES_ code.
 */
export async function registerEverywhere(
  api: KubernetesApi,
  registrations: readonly Registration[],
  certificatePem: string,
  nowMs: number,
): Promise<void> {
  const failures: unknown[] = []
  for (const registration of registrations) {
    await register(api, registration, certificatePem, nowMs).catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0) throw toWeftError(failures[0])
}

async function register(
  api: KubernetesApi,
  registration: Registration,
  certificatePem: string,
  nowMs: number,
): Promise<void> {
  const { name, path, isOptional } = registration
  for (let attempt = 0; attempt < attempts; attempt++) {
    const found = await api.request('GET', path)
    if (found.status === 404 && isOptional) return
    if (found.status !== 200) throw failureOf(found, `reading ${name}`)
    const wanted = changed(registration, found.body as object, (known) =>
      withCertificate(known, certificatePem, nowMs),
    )
    if (wanted === undefined) return
    // It carries its resourceVersion: what somebody else has written meanwhile is not undone.
    const written = await api.request('PUT', path, wanted)
    if (written.status === 200) return
    if (written.status !== 409) throw failureOf(written, `writing ${name}`)
  }
  throw new WeftError('KUBERNETES_FAILED', `${name} changes all the time`)
}
