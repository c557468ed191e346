/** Turns every failure below it into one reply; nothing above it ever sees an exception. */
import { type Exchange, handle, type Receiver, type Reply, type ResponseFlag } from '../exchange.ts'
import { grpcStatusOfReset } from '../grpc/status-codes.ts'
import { StreamReset } from '../http2/faults.ts'
import type { Layer } from '../layer.ts'
import { type LocalAnswer, localReply } from '../local-reply.ts'
import { errorCodes, WeftError } from '../../core/errors.ts'
import { UpstreamFailure } from '../upstream-failure.ts'

function answerFor(error: unknown): LocalAnswer {
  if (error instanceof UpstreamFailure) {
    const { status, flag, code, message } = error
    return { status, flag, text: `${code}: ${message}`, grpcStatus: callStatusOf(error) }
  }
  if (error instanceof WeftError) {
    const { http } = errorCodes[error.code] as { http?: { status: number; flag: ResponseFlag } }
    return {
      status: http?.status ?? 500,
      flag: http?.flag ?? '',
      text: `${error.code}: ${error.message}`,
    }
  }
  return { status: 500, flag: '', text: 'internal error of the sidecar' }
}

/** A server's own word, as the client would have had it without us; undefined: there is none. */
function callStatusOf({ kind, cause }: UpstreamFailure): number | undefined {
  return kind === 'reset' && cause instanceof StreamReset ? grpcStatusOfReset(cause.code) : undefined
}

type Unexpected = (error: unknown) => void

class Rescuing implements Receiver {
  readonly #receiver: Receiver
  readonly #onUnexpected: Unexpected

  constructor(receiver: Receiver, onUnexpected: Unexpected) {
    this.#receiver = receiver
    this.#onUnexpected = onUnexpected
  }

  onReply(x: Exchange, reply: Reply): void {
    this.#receiver.onReply(x, reply)
  }

  onFailure(x: Exchange, error: unknown): void {
    if (!(error instanceof UpstreamFailure) && !(error instanceof WeftError)) this.#onUnexpected(error)
    this.#receiver.onReply(x, localReply(x, answerFor(error)))
  }
}

export function rescue(onUnexpected: Unexpected): Layer {
  return (next) =>
    function rescueErrors(x, receiver) {
      handle(next, x, new Rescuing(receiver, onUnexpected))
    }
}
