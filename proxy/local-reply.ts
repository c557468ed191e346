/** A reply made here, in the words of whoever asked: HTTP, or gRPC. */
import { Body } from './body.ts'
import { type Exchange, Reply, type ResponseFlag } from './exchange.ts'
import { encodeGrpcMessage } from './grpc/grpc-message.ts'
import { grpcStatus, grpcStatusOf } from './grpc/status-codes.ts'
import { HeaderList } from './header-list.ts'
import { statusText } from './http1/status-text.ts'

export type LocalAnswer = {
  readonly status: number
  readonly flag: ResponseFlag
  readonly text: string
  /** What a call is told; undefined: what the status means there. */
  readonly grpcStatus?: number | undefined
  /** When it may be worth while to ask again. */
  readonly retryAfterSeconds?: number | undefined
}

/** A timeout is one of the call's own; a backend that is not there is so for now (Gateway API). */
function callStatusOf({ status, flag, grpcStatus: asked }: LocalAnswer): number {
  if (asked !== undefined) return asked
  if (flag === 'UT') return grpcStatus.deadlineExceeded
  if (status === 500 && flag === 'NC') return grpcStatus.unavailable
  if (status === 499) return grpcStatus.cancelled
  return grpcStatusOf(status)
}

/** The status alone, in the one head that there is: clients see that no message was on its way. */
function callReply(answer: LocalAnswer): Reply {
  const headers = HeaderList.of('content-type', 'application/grpc')
  headers.append('grpc-status', String(callStatusOf(answer)))
  headers.append('grpc-message', encodeGrpcMessage(answer.text))
  if (answer.flag !== '') headers.append('weft-error', answer.flag)
  return new Reply(200, statusText(200), headers, Body.empty)
}

/** It says so in `weft-error`, so that nobody looks for the fault in the application. */
export function localReply(x: Exchange, answer: LocalAnswer): Reply {
  const { status, flag, text, retryAfterSeconds } = answer
  x.flag = flag
  if (x.grpc !== undefined) return callReply(answer)
  const content = `${text}\n`
  const length = String(Buffer.byteLength(content))
  const headers = HeaderList.of('Content-Type', 'text/plain; charset=utf-8', 'Content-Length', length)
  if (retryAfterSeconds !== undefined) headers.append('Retry-After', String(retryAfterSeconds))
  if (flag !== '') headers.append('weft-error', flag)
  return new Reply(status, statusText(status), headers, Body.of(Buffer.from(content).latin1Slice()))
}
