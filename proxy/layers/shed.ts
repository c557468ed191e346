/** Answers 503 while the sidecar is overloaded: cheaply, at once, and with a time to come back. */
import { errorCodes } from '../../core/error-codes.ts'
import { Body } from '../body.ts'
import { type Handler, Reply } from '../exchange.ts'
import { HeaderList } from '../header-list.ts'
import { statusText } from '../http1/status-text.ts'
import type { Layer } from '../layer.ts'
import type { Admission } from '../overload/admission.ts'

const { summary, http } = errorCodes.OVERLOADED
const text = `OVERLOADED: ${summary}\n`
/** Steps are left after seconds; clients that come back at once would hold the sidecar where it is. */
const retryAfterSeconds = '2'

function refusal(): Reply {
  const headers = HeaderList.of('Content-Type', 'text/plain; charset=utf-8')
  headers.append('Content-Length', String(text.length))
  headers.append('Retry-After', retryAfterSeconds)
  headers.append('weft-error', http.flag)
  return new Reply(http.status, statusText(http.status), headers, Body.of(text))
}

export function shed(admission: Admission): Layer {
  return (next: Handler): Handler =>
    function shedIfOverloaded(x, receiver) {
      if (!admission.shedding) {
        next(x, receiver)
        return
      }
      admission.shed++
      x.flag = http.flag
      receiver.onReply(x, refusal())
    }
}
