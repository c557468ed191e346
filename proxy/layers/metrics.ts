/** Counts every exchange in the prepared numbers of whoever answered it. */
import type { Exchange } from '../exchange.ts'
import type { Layer } from '../layer.ts'
import type { GoldenStats } from '../telemetry/golden-stats.ts'

/**
 * `local` gives the stats of exchanges that no endpoint was chosen for. Placed outside of what fails, so that replies
 * made here are counted too.
 */
export function metrics(local: (x: Exchange) => GoldenStats, nowMs: () => number): Layer {
  return (next) =>
    async function countExchange(x) {
      const reply = await next(x)
      const stats = x.downstream.stats ?? x.stats ?? local(x)
      const doneMs = nowMs()
      stats.requests++
      stats.lastUsedMs = doneMs
      stats.retries += x.attempts > 1 ? x.attempts - 1 : 0
      stats.response(reply.status, doneMs - x.startedAtMs)
      return reply
    }
}
