/** Publishes what the control plane is trusted by, for the injector to give to pods: a ConfigMap, which has no secrets. */
import { trustBundleKey } from '../../api/deployment.ts'
import { WeftError } from '../../core/errors.ts'

/** What asks the API server; it resolves with whatever that answers. */
export interface ConfigMapApi {
  request(
    method: 'GET' | 'PUT',
    path: string,
    body?: object,
  ): Promise<{ readonly status: number; readonly body: unknown }>
}

type ConfigMap = { readonly data?: Readonly<Record<string, unknown>> | null }

/** More replicas than that never write at the same moment. */
const attempts = 10

function failure(what: string, { status, body }: { status: number; body: unknown }): WeftError {
  const { message } = (body ?? {}) as { readonly message?: unknown }
  const code = status === 401 || status === 403 ? 'KUBERNETES_REFUSED' : 'KUBERNETES_FAILED'
  return new WeftError(code, `${what}: ${status} ${typeof message === 'string' ? message : ''}`.trim())
}

/**
 * Puts the PEM into the ConfigMap, which `weft install` has made empty; writes only when something changes. Rejects with a
 * KUBERNETES_ code.
 */
export async function publishTrustBundle(
  api: ConfigMapApi,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  pem: string,
): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/configmaps/${name}`
  for (let attempt = 0; attempt < attempts; attempt++) {
    const found = await api.request('GET', path)
    if (found.status !== 200) throw failure(`reading ConfigMap ${namespace}/${name}`, found)
    const configMap = found.body as ConfigMap
    if (configMap.data?.[trustBundleKey] === pem) return
    const data = { ...configMap.data, [trustBundleKey]: pem }
    const written = await api.request('PUT', path, { ...configMap, data })
    if (written.status === 200) return
    // Another replica was first, with what is the same root.
    if (written.status !== 409) throw failure(`writing ConfigMap ${namespace}/${name}`, written)
  }
  throw new WeftError('KUBERNETES_FAILED', `ConfigMap ${namespace}/${name} changes all the time`)
}
