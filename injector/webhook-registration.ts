/** Puts a certificate into the `caBundle` of our MutatingWebhookConfiguration. */
import { WeftError } from '../core/errors.ts'
import { withCertificate } from './ca-bundle.ts'
import type { KubernetesApi } from '../core/kubernetes/api-client.ts'
import { failureOf } from '../core/kubernetes/api-failure.ts'

type Webhook = { readonly clientConfig?: { readonly caBundle?: string } }
type Configuration = { readonly webhooks?: readonly Webhook[] }

/** More replicas than that never write at the same moment. */
const attempts = 10

function withBundles(configuration: Configuration, certificatePem: string, nowMs: number): Configuration {
  const webhooks = configuration.webhooks ?? []
  return {
    ...configuration,
    webhooks: webhooks.map((webhook) => ({
      ...webhook,
      clientConfig: {
        ...webhook.clientConfig,
        caBundle: withCertificate(webhook.clientConfig?.caBundle ?? '', certificatePem, nowMs),
      },
    })),
  }
}

function bundles({ webhooks = [] }: Configuration): string {
  return webhooks.map(({ clientConfig }) => clientConfig?.caBundle ?? '').join()
}

/**
 * Adds the certificate to what other replicas have put there, and takes out what has expired; writes only when something
 * changes. Rejects with a KUBERNETES_ code.
 */
export async function registerCertificate(
  api: KubernetesApi,
  name: string,
  certificatePem: string,
  nowMs: number,
): Promise<void> {
  const path = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${name}`
  for (let attempt = 0; attempt < attempts; attempt++) {
    const found = await api.request('GET', path)
    if (found.status !== 200) throw failureOf(found, `reading MutatingWebhookConfiguration ${name}`)
    const configuration = found.body as Configuration
    const wanted = withBundles(configuration, certificatePem, nowMs)
    if (bundles(wanted) === bundles(configuration)) return
    // It carries its resourceVersion: what somebody else has written meanwhile is not undone.
    const written = await api.request('PUT', path, wanted)
    if (written.status === 200) return
    if (written.status !== 409) throw failureOf(written, `writing MutatingWebhookConfiguration ${name}`)
  }
  throw new WeftError('KUBERNETES_FAILED', `MutatingWebhookConfiguration ${name} changes all the time`)
}
