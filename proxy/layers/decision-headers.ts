/**
 * Names in the reply what was decided: the route, the backend and the rule of access. Why a reply was made here, `weft-error` says anyway.
 * Absent from the chain unless it was asked for: it tells clients how the mesh is made.
 */
import type { Exchange, Receiver, Reply } from '../exchange.ts'
import type { Layer } from '../layer.ts'

class Naming implements Receiver {
  readonly #receiver: Receiver

  constructor(receiver: Receiver) {
    this.#receiver = receiver
  }

  onReply(x: Exchange, reply: Reply): void {
    if (x.routeName !== '') reply.headers.set('weft-route', x.routeName)
    if (x.clusterName !== '') reply.headers.set('weft-backend', x.clusterName)
    if (x.accessRule !== '') reply.headers.set('weft-rule', x.accessRule)
    if (x.auditRule !== '') reply.headers.set('weft-audit-rule', x.auditRule)
    this.#receiver.onReply(x, reply)
  }

  onFailure(x: Exchange, error: unknown): void {
    this.#receiver.onFailure(x, error)
  }
}

/** Outside of what makes replies, so that those are named too. */
export function decisionHeaders(): Layer {
  return (next) =>
    function nameDecisions(x, receiver) {
      next(x, new Naming(receiver))
    }
}
