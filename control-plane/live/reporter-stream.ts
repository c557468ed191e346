/** How a stream of reports begins and ends, whatever it reports. */
import { type handleBidiStreamingCall, Metadata, type ServerDuplexStream } from '@grpc/grpc-js'
import { failureFields } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { Authenticator, WorkloadIdentity } from '../ca/authenticator.ts'
import { authenticateCall, opaqueStatus } from '../ca/call-authentication.ts'

type Call<Q, R> = ServerDuplexStream<Q, R>

/**
 * Gives each stream to `serve`, with who it is from once that is proven; `identity` is undefined without an
 * authenticator. `what` is for the log.
 */
export function reporterStreams<Q, R>(
  what: string,
  log: Log,
  authenticator: Authenticator | undefined,
  serve: (call: Call<Q, R>, identity: WorkloadIdentity | undefined) => void,
): handleBidiStreamingCall<Q, R> {
  return (call) => {
    const peer = call.getPeer()
    call.on('error', (error) => log.debug({ error, peer }, `a stream of ${what} broke off`))
    // Nothing is lost while the token is checked: the stream flows once somebody listens to its data.
    const proven =
      authenticator === undefined
        ? Promise.resolve(undefined)
        : authenticateCall(call.metadata, authenticator)
    proven.then(
      (identity) => {
        if (!call.cancelled) serve(call, identity)
      },
      (error: unknown) => {
        log.warn({ ...failureFields(error), peer }, `a stream of ${what} is refused`)
        call.emit('error', opaqueStatus(error))
      },
    )
  }
}

/** Reads a stream that was accepted; `onGone` may be called more than once. */
export function readReports<Q, R>(call: Call<Q, R>, onReport: (report: Q) => void, onGone: () => void): void {
  call.on('close', onGone).on('cancelled', onGone)
  call.on('end', () => {
    onGone()
    call.end()
  })
  // Tells the client that it is accepted before anything is asked for.
  call.sendMetadata(new Metadata())
  call.on('data', onReport)
}
