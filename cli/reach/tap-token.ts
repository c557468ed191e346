/** What the control plane of a cluster asks of those who look at exchanges: a token for that alone, of a ServiceAccount that may. */
import { tapAccountName, weftNamespace } from '../../api/deployment.ts'
import { tapAudience } from '../../api/token.ts'
import { WeftError } from '../../core/errors.ts'
import type { KubernetesApi } from '../../core/kubernetes/api-client.ts'
import { statusMessage } from '../../core/kubernetes/api-failure.ts'

/** As `NAMESPACE/NAME`. */
export const usualTapAccount = `${weftNamespace}/${tapAccountName}`
/** The least that the API server gives; it has to last until the tap begins. */
const lifetimeS = 600

/**
 * A token that the API server makes for whoever may `create` `serviceaccounts/token` of `account`, however they sign in.
 * Rejects with CONFIG_INVALID, TAP_REFUSED, or KUBERNETES_UNREACHABLE.
 */
export async function tapToken(api: KubernetesApi, account: string): Promise<string> {
  const [namespace = '', name = '', ...rest] = account.split('/')
  if (namespace === '' || name === '' || rest.length > 0)
    throw new WeftError('CONFIG_INVALID', `--account: '${account}' is not like ${usualTapAccount}`)
  const reply = await api.request('POST', `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences: [tapAudience], expirationSeconds: lifetimeS },
  })
  const { status } = (reply.body ?? {}) as { readonly status?: { readonly token?: unknown } }
  if (reply.status === 201 && typeof status?.token === 'string') return status.token
  const said = statusMessage(reply.body) ?? `it answered ${reply.status}`
  throw new WeftError('TAP_REFUSED', `no token of ServiceAccount ${account}: ${said}`)
}
