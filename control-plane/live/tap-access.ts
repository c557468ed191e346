/** Who may look at exchanges in a cluster: who brings a token, made for that, of a ServiceAccount that RBAC allows it. */
import { tapAudience, tapResource } from '../../api/token.ts'
import { WeftError } from '../../core/errors.ts'
import type { KubernetesClient } from '../../core/kubernetes/api-client.ts'
import { failureOf } from '../../core/kubernetes/api-failure.ts'
import { formatSubject, type WorkloadIdentity } from '../ca/authenticator.ts'
import { TokenReviewAuthenticator } from '../ca/token-review.ts'

/** Who looks, as their token proved it. Rejects with TOKEN_..., TAP_REFUSED or KUBERNETES_.... */
export type TapAccess = (token: string, namespace: string | undefined) => Promise<WorkloadIdentity>

const reviews = '/apis/authorization.k8s.io/v1/subjectaccessreviews'

/** The groups that the API server itself gives a ServiceAccount. */
function groupsOf({ namespace }: WorkloadIdentity): readonly string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated']
}

/** TokenReview says who, SubjectAccessReview whether they may: in `namespace`, or in all. Nothing of an answer is kept. */
export function clusterTapAccess(client: KubernetesClient): TapAccess {
  const authenticator = new TokenReviewAuthenticator({ client, audience: tapAudience })
  return async (token, namespace) => {
    const identity = await authenticator.authenticate(token)
    const user = formatSubject(identity)
    const resourceAttributes = {
      ...tapResource,
      verb: 'watch',
      ...(namespace !== undefined && { namespace }),
    }
    const reply = await client.request('POST', reviews, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user, groups: groupsOf(identity), resourceAttributes },
    })
    if (reply.status !== 201 && reply.status !== 200) throw failureOf(reply, 'SubjectAccessReview')
    const { status } = (reply.body ?? {}) as { readonly status?: { readonly allowed?: unknown } }
    if (status?.allowed === true) return identity
    const where = namespace === undefined ? 'all namespaces' : `namespace ${namespace}`
    const { group, resource } = tapResource
    throw new WeftError('TAP_REFUSED', `${user} may not watch ${resource}.${group} in ${where}`)
  }
}
