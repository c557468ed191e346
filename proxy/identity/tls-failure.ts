/** Names failures of TLS handshakes by weft's codes. */
import { type ErrorCode, WeftError, reasonOf, systemCodeOf } from '../../core/errors.ts'

/** What OpenSSL and Node call them; of the verification codes, those that mean something of their own. */
const CODES: ReadonlyMap<string, ErrorCode> = new Map([
  ['CERT_HAS_EXPIRED', 'CERTIFICATE_EXPIRED'],
  ['CERT_NOT_YET_VALID', 'CERTIFICATE_NOT_YET_VALID'],
  ['INVALID_PURPOSE', 'PEER_USAGE_REFUSED'],
  ['ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', 'PEER_CERTIFICATE_MISSING'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'PEER_CERTIFICATE_UNTRUSTED'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'PEER_CERTIFICATE_UNTRUSTED'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'PEER_CERTIFICATE_UNTRUSTED'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'PEER_CERTIFICATE_UNTRUSTED'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'PEER_CERTIFICATE_UNTRUSTED'],
  ['CERT_SIGNATURE_FAILURE', 'PEER_CERTIFICATE_UNTRUSTED'],
  ['CERT_UNTRUSTED', 'PEER_CERTIFICATE_UNTRUSTED'],
  ['CERT_REJECTED', 'PEER_CERTIFICATE_UNTRUSTED'],
  ['INVALID_CA', 'PEER_CERTIFICATE_UNTRUSTED'],
  ['PATH_LENGTH_EXCEEDED', 'PEER_CERTIFICATE_UNTRUSTED'],
  // Node has no name for keys and digests that OpenSSL finds too weak. A certificate that is missing has one, above.
  ['UNSPECIFIED', 'PEER_CERTIFICATE_WEAK'],
  ['ECONNREFUSED', 'UPSTREAM_CONNECT_FAILED'],
  ['EHOSTUNREACH', 'UPSTREAM_CONNECT_FAILED'],
  ['ENETUNREACH', 'UPSTREAM_CONNECT_FAILED'],
  ['ENOTFOUND', 'UPSTREAM_CONNECT_FAILED'],
  ['EADDRNOTAVAIL', 'UPSTREAM_CONNECT_FAILED'],
  ['EMFILE', 'UPSTREAM_CONNECT_FAILED'],
  ['ETIMEDOUT', 'UPSTREAM_CONNECT_TIMEOUT'],
  ['ERR_TLS_HANDSHAKE_TIMEOUT', 'UPSTREAM_CONNECT_TIMEOUT'],
])

/**
 * The WeftError of a failed handshake. `authorizationError` is what the socket says of the peer's certificate; Node
 * reports a refused client only as a connection that was reset.
 */
export function tlsFailure(error: unknown, authorizationError: unknown, peer: string): WeftError {
  if (error instanceof WeftError) return error
  const verification = authorizationErrorCode(authorizationError)
  const known = CODES.get(verification ?? '') ?? CODES.get(systemCodeOf(error) ?? '') ?? 'TLS_REFUSED'
  const code = isOtherThanWeak(verification, error) ? 'PEER_CERTIFICATE_UNTRUSTED' : known
  return new WeftError(
    code,
    `${peer}: ${verification === undefined ? reasonOf(error) : verificationText(verification, error)}`,
    { cause: error },
  )
}

/** What Node has no name for and OpenSSL says not to be weak: an extension that is not known, a name that is not permitted. */
function isOtherThanWeak(verification: string | undefined, error: unknown): boolean {
  return verification === 'UNSPECIFIED' && hasText(error) && !reasonOf(error).includes('too weak')
}

/** OpenSSL's own words where Node has them, and no word of its own. Of a client Node keeps them to itself. */
function verificationText(verification: string, error: unknown): string {
  if (verification !== 'UNSPECIFIED') return verification
  return hasText(error)
    ? reasonOf(error)
    : 'its key or its signature is too weak, or something rarer is wrong with it'
}

function hasText(error: unknown): boolean {
  return systemCodeOf(error) === 'UNSPECIFIED'
}

function authorizationErrorCode(error: unknown): string | undefined {
  if (typeof error === 'string' && error !== '') return error
  return systemCodeOf(error)
}
