/** Answers 503 while the sidecar is overloaded: cheaply, at once, and with a time to come back. */
import { errorCodes } from '../../core/error-codes.ts'
import type { Handler } from '../exchange.ts'
import type { Layer } from '../layer.ts'
import { localReply } from '../local-reply.ts'
import type { Admission } from '../overload/admission.ts'

const { summary, http } = errorCodes.OVERLOADED
/** Steps are left after seconds; clients that come back at once would hold the sidecar where it is. */
const answer = { ...http, text: `OVERLOADED: ${summary}`, retryAfterSeconds: 2 } as const

export function shed(admission: Admission): Layer {
  return (next: Handler): Handler =>
    function shedIfOverloaded(x, receiver) {
      if (!admission.shedding) {
        next(x, receiver)
        return
      }
      admission.shed++
      receiver.onReply(x, localReply(x, answer))
    }
}
