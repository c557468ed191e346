/** gRPC's statuses, and what they are in HTTP's words. Pure. */
import { grpcStatusNames, isFailedCall } from '../../api/grpc-status.ts'
import { errorCode } from '../http2/frame-types.ts'

export const grpcStatus = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const

const highest = 16

/** Envoy's table, by status: what a call counts as where failures are told by HTTP statuses. */
const httpStatuses = [
  200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
] as const

const failures: readonly boolean[] = grpcStatusNames.map(isFailedCall)

/** The number of a `grpc-status`; what is none of gRPC's is UNKNOWN, so that labels stay bounded. */
export function parseGrpcStatus(text: string): number {
  if (!/^(?:[0-9]|1[0-6])$/.test(text)) return grpcStatus.unknown
  const status = Number(text)
  return status <= highest ? status : grpcStatus.unknown
}

/** Whether a call with this status went wrong on the server's side, as Linkerd classifies by default. */
export function isGrpcFailure(status: number): boolean {
  return failures[status] === true
}

/** What outlier detection and balancing make of a call's status, as Envoy does. */
export function httpStatusOf(status: number): number {
  return httpStatuses[status] ?? 500
}

/** What a call is told that something answers in HTTP: gRPC's own table (http-grpc-status-mapping). */
export function grpcStatusOf(httpStatus: number): number {
  switch (httpStatus) {
    case 400:
    case 431:
      return grpcStatus.internal
    case 401:
      return grpcStatus.unauthenticated
    case 403:
      return grpcStatus.permissionDenied
    case 404:
      return grpcStatus.unimplemented
    case 429:
    case 502:
    case 503:
    case 504:
      return grpcStatus.unavailable
    default:
      return grpcStatus.unknown
  }
}

/** What a call is told whose stream was reset before its reply, by the code of that: gRPC's own table (PROTOCOL-HTTP2). */
export function grpcStatusOfReset(code: number): number {
  switch (code) {
    case errorCode.refusedStream:
      return grpcStatus.unavailable
    case errorCode.cancel:
      return grpcStatus.cancelled
    case errorCode.enhanceYourCalm:
      return grpcStatus.resourceExhausted
    case errorCode.inadequateSecurity:
      return grpcStatus.permissionDenied
    default:
      return grpcStatus.internal
  }
}
