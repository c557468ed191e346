/** What rules of access decided, under Linkerd's names. */
import type { Registry } from '../../core/metrics.ts'
import type { AccessCounts, AccessStats } from './access-stats.ts'
import { registerFamily } from './golden-metrics.ts'

const protocols = [
  ['http', 'Requests'],
  ['tcp', 'Connections whose bytes are passed on'],
] as const
const verdicts: readonly (readonly [string, string, (stats: AccessStats) => number])[] = [
  ['allow', 'that a rule of access allowed', (stats) => stats.allowed],
  ['deny', 'that one denied', (stats) => stats.denied],
  ['audit', 'that a rule is only to tell of', (stats) => stats.audited],
]

export function registerAccessMetrics(registry: Registry, counts: AccessCounts): void {
  for (const [protocol, what] of protocols)
    for (const [verdict, how, read] of verdicts)
      registerFamily(registry, {
        name: `inbound_${protocol}_authz_${verdict}_total`,
        help: `${what} ${how}`,
        type: 'counter',
        samples: () =>
          counts[protocol]
            .all()
            .filter((stats) => read(stats) > 0)
            .map((stats) => ({ labels: stats.labels, value: read(stats) })),
      })
}
