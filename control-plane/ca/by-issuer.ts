/** Two kinds of tokens side by side: our own, for workloads outside of the cluster, and those of its API server. */
import type { Authenticator, WorkloadIdentity } from './authenticator.ts'
import { TOKEN_ISSUER } from './token.ts'

/** Who claims to have made a token. Nobody has checked it yet: it only tells whom to ask. */
function claimedIssuer(token: string): unknown {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as unknown
    return typeof claims === 'object' && claims !== null ? (claims as { iss?: unknown }).iss : undefined
  } catch {
    return undefined // Whoever is asked then says what is wrong with it.
  }
}

export class ByIssuerAuthenticator implements Authenticator {
  readonly #own: Authenticator
  readonly #others: Authenticator

  constructor(own: Authenticator, others: Authenticator) {
    this.#own = own
    this.#others = others
  }

  authenticate(bearer: string): Promise<WorkloadIdentity> {
    return (claimedIssuer(bearer) === TOKEN_ISSUER ? this.#own : this.#others).authenticate(bearer)
  }
}
