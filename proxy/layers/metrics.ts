/** Counts every exchange in the prepared numbers of whoever answered it. */
import type { Exchange, Handler, Receiver, Reply } from '../exchange.ts'
import type { Layer } from '../layer.ts'
import type { GoldenStats } from '../telemetry/golden-stats.ts'

type LocalStats = (x: Exchange) => GoldenStats

class Counting implements Receiver {
  readonly #receiver: Receiver
  readonly #local: LocalStats

  constructor(receiver: Receiver, local: LocalStats) {
    this.#receiver = receiver
    this.#local = local
  }

  onReply(x: Exchange, reply: Reply): void {
    const latencyMs = x.nowMs - x.startedAtMs
    const stats = x.downstream.stats ?? (x.stats ??= this.#local(x))
    stats.count(reply.status, latencyMs, x.attempts)
    x.ruleStats?.for(x.clusterName).count(reply.status, latencyMs, x.attempts)
    this.#receiver.onReply(x, reply)
  }

  onFailure(x: Exchange, error: unknown): void {
    this.#receiver.onFailure(x, error)
  }
}

/**
 * `local` gives the stats of exchanges that no endpoint was chosen for. Placed outside of what fails, so that replies
 * made here are counted too.
 */
export function metrics(local: LocalStats): Layer {
  return (next: Handler): Handler =>
    function countExchange(x, receiver) {
      next(x, new Counting(receiver, local))
    }
}
