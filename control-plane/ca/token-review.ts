/** Projected ServiceAccount tokens, judged by the API server of the cluster (TokenReview, with our audience). */
import { tokenAudience } from '../../api/token.ts'
import { WeftError } from '../../core/errors.ts'
import type { KubernetesClient } from '../../core/kubernetes/api-client.ts'
import { failureOf } from '../../core/kubernetes/api-failure.ts'
import { type Authenticator, parseSubject, type WorkloadIdentity } from './authenticator.ts'
import { LARGEST_TOKEN_BYTES } from './token.ts'

/** Everyone in it is a ServiceAccount; a user of that name from elsewhere is not. */
const serviceAccounts = 'system:serviceaccounts'
const podName = 'authentication.kubernetes.io/pod-name'

type Review = {
  readonly authenticated?: unknown
  readonly error?: unknown
  readonly audiences?: unknown
  readonly user?: { readonly username?: unknown; readonly groups?: unknown; readonly extra?: unknown }
}

export class TokenReviewAuthenticator implements Authenticator {
  readonly #client: KubernetesClient
  readonly #audience: string

  constructor(options: { readonly client: KubernetesClient; readonly audience?: string }) {
    this.#client = options.client
    this.#audience = options.audience ?? tokenAudience
  }

  /** Nothing is kept of an answer: a token that is revoked is refused from then on. */
  async authenticate(bearer: string): Promise<WorkloadIdentity> {
    if (bearer.length > LARGEST_TOKEN_BYTES)
      throw new WeftError('TOKEN_TOO_LARGE', `the token has ${bearer.length} bytes`)
    // The API server takes this for a mistake of ours, and not for an answer.
    if (bearer === '') throw new WeftError('TOKEN_MALFORMED', 'the token is empty')
    const reply = await this.#client.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token: bearer, audiences: [this.#audience] },
    })
    if (reply.status !== 201 && reply.status !== 200) throw failureOf(reply, 'TokenReview')
    return readReview((reply.body as { readonly status?: Review } | undefined)?.status ?? {}, this.#audience)
  }
}

/** The ServiceAccount that a review proves. Throws TOKEN_INVALID, TOKEN_WRONG_AUDIENCE, TOKEN_NOT_SERVICE_ACCOUNT. */
export function readReview(review: Review, audience: string): WorkloadIdentity {
  const reason = typeof review.error === 'string' ? review.error : ''
  if (review.authenticated !== true || reason !== '')
    throw new WeftError('TOKEN_INVALID', `the API server does not accept the token: ${reason.slice(0, 300)}`)
  // An API server that knows no audiences answers with none, and would have taken a token made for anybody.
  if (!Array.isArray(review.audiences) || !review.audiences.includes(audience))
    throw new WeftError('TOKEN_WRONG_AUDIENCE', `the token was not reviewed for the audience "${audience}"`)
  const { username, groups, extra } = review.user ?? {}
  const name = typeof username === 'string' ? username : ''
  const identity = parseSubject(name)
  if (identity === undefined || !Array.isArray(groups) || !groups.includes(serviceAccounts))
    throw new WeftError('TOKEN_NOT_SERVICE_ACCOUNT', `the user is "${name.slice(0, 100)}"`)
  const pod = podOf(extra)
  return pod === undefined ? identity : { ...identity, pod }
}

/** A token that was mounted into a pod is of no use to another, nor once that pod is gone. */
function podOf(extra: unknown): string | undefined {
  const names = (extra as Readonly<Record<string, unknown>> | null | undefined)?.[podName]
  const [name] = Array.isArray(names) ? (names as readonly unknown[]) : []
  return typeof name === 'string' && name !== '' ? name : undefined
}
