/** Names by weft's codes what went wrong between us and the control plane. */
import { type ServiceError, status } from '@grpc/grpc-js'
import { type ErrorCode, reasonOf, WeftError } from '../../core/errors.ts'

const codes: ReadonlyMap<number, ErrorCode> = new Map([
  [status.UNAVAILABLE, 'CONTROL_PLANE_UNREACHABLE'],
  [status.DEADLINE_EXCEEDED, 'CONTROL_PLANE_UNREACHABLE'],
  [status.UNAUTHENTICATED, 'CONTROL_PLANE_REFUSED'],
  [status.PERMISSION_DENIED, 'CONTROL_PLANE_REFUSED'],
  [status.INVALID_ARGUMENT, 'CONTROL_PLANE_REFUSED'],
])

/** What OpenSSL and Node say of a server's certificate; gRPC only knows that there is no connection. */
const ofCertificates = /certificate|altnames/i

/** A gRPC status, or anything thrown on the way to one, as a WeftError; `otherwise` names what has no code of its own. */
export function controlPlaneFailure(error: unknown, target: string, otherwise: ErrorCode): WeftError {
  if (error instanceof WeftError) return error
  const known = codes.get((error as Partial<ServiceError>).code ?? status.UNKNOWN) ?? otherwise
  const reason = plainReason(error as Partial<ServiceError>)
  const untrusted = known === 'CONTROL_PLANE_UNREACHABLE' && ofCertificates.test(reason)
  const code = untrusted ? 'CONTROL_PLANE_UNTRUSTED' : known
  return new WeftError(code, `${target}: ${reason}`, { cause: error })
}

/** gRPC wraps what happened to its connections in words of its own. */
function plainReason({ code, details, ...error }: Partial<ServiceError>): string {
  const text = details ?? reasonOf(error)
  const wrapped = /Last error: (?:Error: )?(.*?)\.? Resolution note:/.exec(text)?.[1]
  return wrapped ?? (code === undefined ? text : `${status[code] ?? code}: ${text}`)
}
