/** What a server connection of ours is given where nobody looks at its time, its flags or its end. */
import { Admission } from '../../proxy/overload/admission.ts'
import { downstream } from '../../proxy/test-exchange.ts'

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
