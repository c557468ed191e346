/** What policies did: retries, hedges, limits and faults, read at scrape. Destinations are known to the mesh, so bounded. */
import type { Registry } from '../../core/metrics.ts'
import type { DataPath } from '../data-path.ts'
import type { RetryCounts } from '../retry/destination-retries.ts'
import { registerFamily } from './golden-metrics.ts'

/** Linkerd's names, where it has one. */
const retryFamilies: readonly (readonly [string, string, keyof RetryCounts])[] = [
  ['outbound_http_route_retry_requests_total', 'Attempts after the first one', 'retries'],
  ['outbound_http_route_retry_successes_total', 'Requests saved by such an attempt', 'successes'],
  [
    'outbound_http_route_retry_limit_exceeded_total',
    'Not retried: as often as the policy allows',
    'overLimit',
  ],
  ['outbound_http_route_retry_overflow_total', 'Not retried: the budget is used up', 'overBudget'],
  ['outbound_http_route_retry_body_too_large_total', 'Not retried: the body was not kept', 'bodyTooLarge'],
  ['outbound_http_route_hedge_requests_total', 'Attempts made beside a slow one', 'hedges'],
]

export function registerPolicyMetrics(registry: Registry, dataPath: DataPath): void {
  for (const [name, help, count] of retryFamilies)
    registerFamily(registry, {
      name,
      help,
      type: 'counter',
      samples: () =>
        [...dataPath.retries].map(([authority, { counts }]) => ({
          labels: { authority },
          value: counts[count],
        })),
    })
  registerFamily(registry, {
    name: 'inbound_http_local_rate_limited_total',
    help: 'Requests answered 429 because of a rate limit',
    type: 'counter',
    samples: () => [{ labels: {}, value: dataPath.rateLimitCounts.limited }],
  })
  registerFamily(registry, {
    name: 'outbound_http_faults_injected_total',
    help: 'Requests that were delayed or refused on purpose',
    type: 'counter',
    samples: () => [
      { labels: { fault: 'delay' }, value: dataPath.faultCounts.delays },
      { labels: { fault: 'abort' }, value: dataPath.faultCounts.aborts },
    ],
  })
}
