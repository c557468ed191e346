/** Where a reply made here is counted: by its destination only if configuration, not a request, named that. */
import type { Exchange } from './exchange.ts'
import type { GoldenStats, GoldenStatsTable } from './telemetry/golden-stats.ts'
import { loadOf } from './telemetry/load-of.ts'

export function localStatsOf(table: GoldenStatsTable): (x: Exchange) => GoldenStats {
  return (x) => {
    const named = x.routeName !== '' || x.flag === 'NR' || x.flag === 'UH'
    const { direction, meshTls } = x.downstream
    const labels = { direction, tls: String(meshTls), authority: named ? x.destination : '' }
    return table.for(labels, loadOf(named ? x.apex : '', x.apex, '', false))
  }
}
