/** What is known of an exchange that is a gRPC call. */
import type { Exchange, Reply } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'
import { parseGrpcTimeout } from './grpc-timeout.ts'
import { grpcStatus, grpcStatusOf, parseGrpcStatus } from './status-codes.ts'

export class GrpcCall {
  /** Monotonic; Infinity: it may take as long as it likes. */
  deadlineMs: number

  constructor(deadlineMs: number) {
    this.deadlineMs = deadlineMs
  }

  /** Some limit on the way is shorter: those behind it may know. */
  lower(deadlineMs: number): void {
    if (deadlineMs < this.deadlineMs) this.deadlineMs = deadlineMs
  }
}

/** Whether a request with this content type is a call; `application/grpc-web` is HTTP to everybody but its server. */
export function isGrpcType(type: string | undefined): boolean {
  return type !== undefined && /^application\/grpc(?:[+;]|$)/.test(type)
}

/** The call that a request of such a type is. */
export function grpcCallOf(headers: HeaderList, startedMs: number): GrpcCall {
  const timeout = headers.get('grpc-timeout')
  const timeoutMs = timeout === undefined ? undefined : parseGrpcTimeout(timeout)
  return new GrpcCall(timeoutMs === undefined ? Number.POSITIVE_INFINITY : startedMs + timeoutMs)
}

/** The status that a reply's head has already, as no messages will follow; undefined: its end will tell. */
export function statusInHead({ status, headers }: Reply): number | undefined {
  const inHead = headers.get('grpc-status')
  if (inHead !== undefined) return parseGrpcStatus(inHead)
  return status === 200 ? undefined : grpcStatusOf(status)
}

/** The status of a call whose reply is over; INTERNAL where it broke off, UNKNOWN where there is none. */
export function statusAtEnd(reply: Reply): number {
  const inHead = statusInHead(reply)
  if (inHead !== undefined) return inHead
  if (!reply.body.complete) return grpcStatus.internal
  const status = reply.body.trailers.get('grpc-status')
  return status === undefined ? grpcStatus.unknown : parseGrpcStatus(status)
}

/** How a call that is over came out for its client; undefined: the exchange is no call. */
export function callStatus(x: Exchange, reply: Reply | undefined): number | undefined {
  if (x.grpc === undefined) return undefined
  if (x.timedOut) return grpcStatus.deadlineExceeded
  // Given up by its client; what broke on the other side is told to that client as a broken reply.
  if (x.aborted) return x.flag === 'DC' ? grpcStatus.cancelled : grpcStatus.internal
  return reply === undefined ? grpcStatus.unavailable : statusAtEnd(reply)
}
