/** The sidecars' side of taps: each holds a stream by which it is told what to look for. Tokens are asked for always. */
import type { handleBidiStreamingCall, ServerDuplexStream } from '@grpc/grpc-js'
import type { Messages } from '../../api/xds/messages.ts'
import type { Authenticator, WorkloadIdentity } from '../ca/authenticator.ts'
import type { LoadServiceParts } from './load-service.ts'
import { reporterFacts } from './reporter-facts.ts'
import { readReports, reporterStreams } from './reporter-stream.ts'
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
    Watch: reporterStreams('taps', parts.log, authenticator, (call: Call, identity) =>
      serve(call, identity, parts),
    ),
  }
}

function serve(
  call: Call,
  identity: WorkloadIdentity | undefined,
  { taps, clock, ...parts }: TapServiceParts,
): void {
  let sidecar: TapSidecar | undefined
  const receive = ({ node, exchanges = [], dropped = 0 }: Report): void => {
    if (sidecar === undefined) {
      const facts = reporterFacts(node, identity, { ...parts, connectedAtMs: clock.wallMs() })
      if (facts.sidecar === undefined) return
      const { pod } = facts.sidecar
      sidecar = { source: facts.source, pod, tell: (command) => void call.write(command) }
      taps.join(sidecar)
    }
    taps.receive(sidecar, exchanges, dropped)
  }
  readReports(call, receive, () => {
    if (sidecar !== undefined) taps.leave(sidecar)
    sidecar = undefined
  })
}
