/** What becomes of sampled spans and of lines of the access log, read at scrape. */
import type { Registry } from '../../core/metrics.ts'
import type { AccessLines } from './access-lines.ts'
import type { CollectorReporter } from './collector-reporter.ts'
import { registerFamily } from './golden-metrics.ts'

type Counts = Pick<CollectorReporter, 'sent' | 'lost' | 'held'>

export function registerTraceMetrics(
  registry: Registry,
  collectors: readonly { readonly name: string; readonly reporter: Counts }[],
): void {
  if (collectors.length === 0) return
  registerFamily(registry, {
    name: 'trace_spans_total',
    help: 'Spans by outcome: sent to the collector, or lost because it took none',
    type: 'counter',
    samples: () =>
      collectors.flatMap(({ name: collector, reporter }) => [
        { labels: { collector, outcome: 'sent' }, value: reporter.sent },
        { labels: { collector, outcome: 'lost' }, value: reporter.lost },
      ]),
  })
  registerFamily(registry, {
    name: 'trace_spans_held',
    help: 'Spans that wait for the collector',
    type: 'gauge',
    samples: () =>
      collectors.map(({ name: collector, reporter }) => ({ labels: { collector }, value: reporter.held })),
  })
}

export function registerAccessLogMetrics(
  registry: Registry,
  lines: Pick<AccessLines, 'written' | 'lost'>,
): void {
  registerFamily(registry, {
    name: 'access_log_lines_total',
    help: 'Lines of the access log by outcome: written, or lost because nobody read the output',
    type: 'counter',
    samples: () => [
      { labels: { outcome: 'written' }, value: lines.written },
      { labels: { outcome: 'lost' }, value: lines.lost },
    ],
  })
}
