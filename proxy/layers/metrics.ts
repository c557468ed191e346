/** Counts every exchange in the prepared numbers of whoever answered it. */
import type { Exchange, Handler, Receiver, Reply } from '../exchange.ts'
import type { Layer } from '../layer.ts'
import { callStatus } from '../grpc/grpc-call.ts'
import { type GoldenStats, replyKey } from '../telemetry/golden-stats.ts'

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
    const ofRule = x.ruleStats?.for(x.clusterName)
    if (x.grpc === undefined) {
      stats.count(reply.status, latencyMs, x.attempts)
      ofRule?.count(reply.status, latencyMs, x.attempts)
    } else {
      countCall(x, reply, stats, latencyMs)
      if (ofRule !== undefined) countCall(x, reply, ofRule, latencyMs)
    }
    this.#receiver.onReply(x, reply)
  }

  onFailure(x: Exchange, error: unknown): void {
    this.#receiver.onFailure(x, error)
  }
}

/** A call's status comes with its end, which may be hours away; that it is one is counted now. */
function countCall(x: Exchange, reply: Reply, stats: GoldenStats, latencyMs: number): void {
  stats.begin(x.attempts)
  const end = (): void => stats.response(replyKey(reply.status, callStatus(x, reply)), latencyMs)
  if (reply.body.complete) end()
  else x.whenDone(end)
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
