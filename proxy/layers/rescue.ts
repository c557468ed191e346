/** Turns every failure below it into one reply; nothing above it ever sees an exception. */
import { Body } from '../body.ts'
import { type Exchange, handle, type Receiver, Reply, type ResponseFlag } from '../exchange.ts'
import { HeaderList } from '../header-list.ts'
import type { Layer } from '../layer.ts'
import { errorCodes, WeftError } from '../../core/errors.ts'
import { statusText } from '../http1/status-text.ts'
import { UpstreamFailure } from '../upstream-failure.ts'

type Answer = { readonly status: number; readonly flag: ResponseFlag; readonly text: string }

function answerFor(error: unknown): Answer {
  if (error instanceof UpstreamFailure) {
    const { status, flag, code, message } = error
    return { status, flag, text: `${code}: ${message}` }
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

/** A reply made here: it says so in `weft-error`, so that nobody looks for the fault in the application. */
export function localReply(x: Exchange, status: number, flag: ResponseFlag, text: string): Reply {
  x.flag = flag
  const content = `${text}\n`
  const length = String(Buffer.byteLength(content))
  const headers = HeaderList.of('Content-Type', 'text/plain; charset=utf-8', 'Content-Length', length)
  if (flag !== '') headers.append('weft-error', flag)
  return new Reply(status, statusText(status), headers, Body.of(Buffer.from(content).latin1Slice()))
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
    const { status, flag, text } = answerFor(error)
    this.#receiver.onReply(x, localReply(x, status, flag, text))
  }
}

export function rescue(onUnexpected: Unexpected): Layer {
  return (next) =>
    function rescueErrors(x, receiver) {
      handle(next, x, new Rescuing(receiver, onUnexpected))
    }
}
