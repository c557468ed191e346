/** The sidecars' side of taps: each holds a stream by which it is told what to look for. Tokens are asked for always. */
import { type handleBidiStreamingCall, Metadata, type ServerDuplexStream } from '@grpc/grpc-js'
import type { Messages } from '../../api/xds/messages.ts'
import { failureFields } from '../../core/errors.ts'
import type { Authenticator, WorkloadIdentity } from '../ca/authenticator.ts'
import { authenticateCall, opaqueStatus } from '../ca/call-authentication.ts'
import type { LoadServiceParts } from './load-service.ts'
import { reporterFacts } from './reporter-facts.ts'
import type { TapBroker, TapSidecar } from './tap-broker.ts'

type Report = Messages['weft.tap.v1alpha1.TapReport']
type Command = Messages['weft.tap.v1alpha1.TapCommand']
type Call = ServerDuplexStream<Report, Command | Buffer>

export type TapServiceParts = Omit<LoadServiceParts, 'live'> & { readonly taps: TapBroker }

/** Handlers for the authenticated listener. */
export function tapHandlers(
  parts: TapServiceParts,
  authenticator: Authenticator,
): { readonly Watch: handleBidiStreamingCall<Report, Command | Buffer> } {
  return {
    Watch: (call) => {
      call.on('error', (error) => parts.log.debug({ error, peer: call.getPeer() }, 'a tap stream broke off'))
      authenticateCall(call.metadata, authenticator).then(
        (identity) => {
          if (!call.cancelled) serve(call, identity, parts)
        },
        (error: unknown) => {
          parts.log.warn({ ...failureFields(error), peer: call.getPeer() }, 'a tap stream is refused')
          call.emit('error', opaqueStatus(error))
        },
      )
    },
  }
}

function serve(call: Call, identity: WorkloadIdentity, { taps, clock, ...parts }: TapServiceParts): void {
  let sidecar: TapSidecar | undefined
  const gone = (): void => {
    if (sidecar !== undefined) taps.leave(sidecar)
    sidecar = undefined
  }
  call.on('close', gone).on('cancelled', gone)
  call.on('end', () => {
    gone()
    call.end()
  })
  call.sendMetadata(new Metadata())
  call.on('data', ({ node, exchanges = [], dropped = 0 }: Report) => {
    if (sidecar === undefined) {
      const facts = reporterFacts(node, identity, { ...parts, connectedAtMs: clock.wallMs() })
      if (facts.sidecar === undefined) return
      const { pod } = facts.sidecar
      sidecar = { source: facts.source, pod, tell: (command) => void call.write(command) }
      taps.join(sidecar)
    }
    taps.receive(sidecar, exchanges, dropped)
  })
}
