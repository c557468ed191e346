/** What becomes of sampled spans, read at scrape. */
import type { Registry } from '../../core/metrics.ts'
import { registerFamily } from './golden-metrics.ts'
import type { ZipkinReporter } from './zipkin-reporter.ts'

export function registerTraceMetrics(
  registry: Registry,
  reporter: Pick<ZipkinReporter, 'sent' | 'lost' | 'held'>,
): void {
  registerFamily(registry, {
    name: 'trace_spans_total',
    help: 'Spans by outcome: sent to the collector, or lost because it took none',
    type: 'counter',
    samples: () => [
      { labels: { outcome: 'sent' }, value: reporter.sent },
      { labels: { outcome: 'lost' }, value: reporter.lost },
    ],
  })
  registerFamily(registry, {
    name: 'trace_spans_held',
    help: 'Spans that wait for the collector',
    type: 'gauge',
    samples: () => [{ labels: {}, value: reporter.held }],
  })
}
