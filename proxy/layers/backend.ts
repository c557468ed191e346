/**
 * Chooses the backend before the first attempt, because it has filters of its own. Absent where no backend has any: the
 * balancer chooses then.
 */
import type { Cluster } from '../cluster/cluster.ts'
import type { Exchange } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'
import type { Layer } from '../layer.ts'
import { ReplyEditor } from '../route/reply-editor.ts'

/** A backend that can be sent to, with what it changes. */
export type ChosenBackend = {
  readonly cluster: Cluster
  readonly editRequest: ((headers: HeaderList) => void) | undefined
  readonly editResponse: ((headers: HeaderList) => void) | undefined
}

/** `choose` goes by weight, or gives the backend of `x.cluster` where that is settled. Throws WeftError when there is none. */
export function backend(choose: (x: Exchange) => ChosenBackend): Layer {
  return (next) =>
    function sendToBackend(x, receiver) {
      const { cluster, editRequest, editResponse } = choose(x)
      x.cluster = cluster
      editRequest?.(x.headers)
      next(x, editResponse === undefined ? receiver : new ReplyEditor(receiver, editResponse))
    }
}
