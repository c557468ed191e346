/** What a server connection of ours is given where nobody looks at its time, its flags or its end. */
import type { Downstream } from '../../proxy/exchange.ts'
import { Admission } from '../../proxy/overload/admission.ts'

export const downstream: Downstream = {
  direction: 'outbound',
  peerAddress: '127.0.0.1',
  peerPort: 1,
  meshTls: false,
  principal: undefined,
  originalDestination: undefined,
  applicationPort: 0,
  stats: undefined,
}

export function quietOptions() {
  return {
    downstream,
    admission: new Admission(),
    nowMs: () => 0,
    headTimeoutMs: 1,
    idleTimeoutMs: 1,
    streamIdleTimeoutMs: 1,
    onViolation: () => undefined,
    onFlag: () => undefined,
    onClosed: () => undefined,
  }
}
