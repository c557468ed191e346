/** Sends spans to Zipkin v2 through OpenTelemetry's exporter: in batches, beside the traffic, losses counted. */
import { SpanKind, SpanStatusCode, TraceFlags, type HrTime } from '@opentelemetry/api'
import { ZipkinExporter } from '@opentelemetry/exporter-zipkin'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace-base'
import type { Log } from '../../core/log.ts'
import type { SpanRecord, SpanReporter } from './span.ts'

const maxQueuedSpans = 2048
const batchEveryMs = 1000

function hrTime(wallMs: number): HrTime {
  const seconds = Math.floor(wallMs / 1000)
  return [seconds, Math.round((wallMs - seconds * 1000) * 1e6)]
}

function readable(span: SpanRecord, resource: ReturnType<typeof resourceFromAttributes>): ReadableSpan {
  const startTime = hrTime(span.startWallMs)
  const context = { traceId: span.traceId, spanId: span.spanId, traceFlags: TraceFlags.SAMPLED }
  const parent =
    span.parentSpanId === undefined
      ? {}
      : {
          parentSpanContext: {
            traceId: span.traceId,
            spanId: span.parentSpanId,
            traceFlags: TraceFlags.SAMPLED,
          },
        }
  return {
    name: span.name,
    kind: span.kind === 'server' ? SpanKind.SERVER : SpanKind.CLIENT,
    spanContext: () => context,
    ...parent,
    startTime,
    endTime: hrTime(span.startWallMs + span.durationMs),
    duration: hrTime(span.durationMs),
    status: { code: span.failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: { ...span.attributes },
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: { name: 'weft' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

/** Counts what the collector did not take; the exporter below says why only at debug level. */
class CountingExporter implements SpanExporter {
  readonly #exporter: SpanExporter
  readonly #onLost: (spans: number, error: Error | undefined) => void

  constructor(exporter: SpanExporter, onLost: (spans: number, error: Error | undefined) => void) {
    this.#exporter = exporter
    this.#onLost = onLost
  }

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    this.#exporter.export(spans, (result) => {
      if (result.code !== 0) this.#onLost(spans.length, result.error)
      done(result)
    })
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown()
  }
}

export class ZipkinReporter implements SpanReporter {
  readonly #processor: BatchSpanProcessor
  readonly #resource: ReturnType<typeof resourceFromAttributes>
  /** Spans that never reached Zipkin. */
  lost = 0

  /** `url` is the collector's, e.g. `http://127.0.0.1:9411/api/v2/spans`; `service` names us in the graph. */
  constructor(url: string, service: string, log: Log) {
    this.#resource = resourceFromAttributes({ 'service.name': service })
    const exporter = new CountingExporter(
      new ZipkinExporter({ url, serviceName: service }),
      (spans, error) => {
        // Once is enough: a collector that is away stays away for a while.
        if (this.lost === 0)
          log.warn({ url, reason: error?.message }, 'spans are lost: the trace collector does not take them')
        this.lost += spans
      },
    )
    this.#processor = new BatchSpanProcessor(exporter, {
      maxQueueSize: maxQueuedSpans,
      scheduledDelayMillis: batchEveryMs,
    })
  }

  report(span: SpanRecord): void {
    this.#processor.onEnd(readable(span, this.#resource) as Parameters<BatchSpanProcessor['onEnd']>[0])
  }

  async close(): Promise<void> {
    await this.#processor.shutdown().catch(() => undefined)
  }
}
