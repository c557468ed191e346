/** The border between gRPC calls and ours: who calls, and what a failure looks like from outside. */
import { type Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { type ErrorCode, WeftError, toWeftError } from '../../core/errors.ts'
import type { Authenticator, WorkloadIdentity } from './authenticator.ts'

/** Who makes a call, and whether a token says so; a certificate that was shown is enough for all but another one. */
export type Caller = { readonly identity: WorkloadIdentity; readonly byToken: boolean }

const callers = new WeakMap<Metadata, Caller>()

/** Who makes the call with this metadata, so that it is found out once. */
export function rememberCaller(metadata: Metadata, caller: Caller): void {
  callers.set(metadata, caller)
}

/** The caller of a gRPC call: as it was admitted, or by its token. Rejects with a TOKEN_... code. */
export async function authenticateCall(
  metadata: Metadata,
  authenticator: Authenticator,
): Promise<WorkloadIdentity> {
  return callers.get(metadata)?.identity ?? authenticateToken(metadata, authenticator)
}

/** The caller by its `authorization: Bearer` metadata, whatever else it has shown. Rejects with a TOKEN_... code. */
export async function authenticateToken(
  metadata: Metadata,
  authenticator: Authenticator,
): Promise<WorkloadIdentity> {
  const known = callers.get(metadata)
  if (known?.byToken === true) return known.identity
  const values = metadata.get('authorization')
  if (values.length !== 1) throw new WeftError('TOKEN_MALFORMED', 'not exactly one authorization header')
  const match = /^bearer +(\S+)$/i.exec(String(values[0]))
  if (match === null) throw new WeftError('TOKEN_MALFORMED', 'the authorization is not a bearer token')
  return authenticator.authenticate(match[1] as string)
}

/** What the client is told. It names no reason: that is for the log of the control plane alone. */
export type OpaqueStatus = Pick<ServiceError, 'code' | 'details'>

/** The gRPC status of a failure. */
export function opaqueStatus(error: unknown): OpaqueStatus {
  const { code } = toWeftError(error)
  if (/^(TOKEN|PEER|CERTIFICATE)_/.test(code))
    return { code: status.UNAUTHENTICATED, details: 'authentication failed' }
  return STATUSES.get(code) ?? { code: status.INTERNAL, details: 'internal error' }
}

const STATUSES: ReadonlyMap<ErrorCode, OpaqueStatus> = new Map([
  ['CSR_REFUSED', { code: status.INVALID_ARGUMENT, details: 'the certificate request is refused' }],
  ['RATE_LIMITED_CA', { code: status.RESOURCE_EXHAUSTED, details: 'too many certificate requests' }],
  ['CA_EXPIRED', { code: status.UNAVAILABLE, details: 'no certificates can be issued now' }],
  ['CA_EXTERNAL', { code: status.FAILED_PRECONDITION, details: 'certificates are issued elsewhere' }],
  // Who is asked about tokens is away: the client is to come again.
  ['KUBERNETES_UNREACHABLE', { code: status.UNAVAILABLE, details: 'tokens cannot be reviewed now' }],
  ['KUBERNETES_REFUSED', { code: status.UNAVAILABLE, details: 'tokens cannot be reviewed now' }],
  ['KUBERNETES_FAILED', { code: status.UNAVAILABLE, details: 'tokens cannot be reviewed now' }],
  ['CONTROL_PLANE_REFUSED', { code: status.PERMISSION_DENIED, details: 'permission denied' }],
])
