/** What may be sent again without anybody having asked for retries: RFC 9110 9.2.2 and RFC 9112 9.3.1. */
import type { Exchange } from '../exchange.ts'
import type { UpstreamFailure } from '../upstream-failure.ts'

const idempotent = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])

export function isIdempotent(method: string): boolean {
  return idempotent.has(method)
}

/**
 * `unwritten`: the application has not seen a byte, any method may go elsewhere. `stale`: an idle connection was closed
 * under us, an idempotent request that is all here may be sent once more. `no`: it may have been acted on.
 */
export function replayKind(x: Exchange, failure: UpstreamFailure): 'unwritten' | 'stale' | 'no' {
  switch (failure.kind) {
    case 'connect':
    case 'connect-timeout':
    case 'tls':
      return failure.requestWritten ? 'no' : 'unwritten'
    case 'refused':
      // The upstream has said that it has not looked at it; what was sent of the body has to be there still.
      return x.body.isEmpty || x.body.replayable ? 'unwritten' : 'no'
    case 'reset': {
      if (failure.replyStarted || !(x.body.isEmpty || x.body.replayable)) return 'no'
      if (!failure.requestWritten) return 'unwritten'
      return failure.reusedConnection && isIdempotent(x.method) ? 'stale' : 'no'
    }
    case 'malformed':
    case 'no-tunnel':
    case 'http1-required':
    case 'timeout':
    case 'no-endpoint':
    case 'overflow':
    case 'cancelled':
      return 'no'
  }
}
