/** Continues the caller's trace, or starts one; a sampled exchange becomes spans. */
import type { Exchange, Reply, TraceContext } from '../exchange.ts'
import type { Layer } from '../layer.ts'
import { exchangeSpans } from '../telemetry/exchange-spans.ts'
import type { SpanReporter } from '../telemetry/span.ts'
import { type AttemptTimes, Timeline } from '../telemetry/timeline.ts'
import { bothFormsNames, extractTrace, injectTrace, traceForms } from '../telemetry/trace-context.ts'
import type { TraceIds } from '../telemetry/trace-ids.ts'
import { WallTimes } from '../telemetry/wall-times.ts'

export type TraceOptions = {
  readonly ids: TraceIds
  /** Share of the traces begun here that are sampled, 0 to 1; read per request, so that it can be changed. */
  readonly sampling: { rate: number }
  readonly random: () => number
  readonly nowMs: () => number
  readonly wallMs: () => number
  /** Empty: contexts are passed on, nothing is reported. */
  readonly reporters: readonly SpanReporter[]
}

/** Gives each attempt a span of its own, so that what it causes is told from what another one causes. */
function spanPerAttempt(ids: TraceIds): (x: Exchange, attempt: AttemptTimes) => void {
  return (x, attempt) => {
    const { timeline, trace } = x
    if (timeline === undefined || trace === undefined) return
    if (timeline.groupSpanId === '') timeline.groupSpanId = ids.spanId()
    attempt.spanId = ids.spanId()
    injectTrace(x.headers, { ...trace, spanId: attempt.spanId, parentSpanId: timeline.groupSpanId })
  }
}

/** Keeps what becomes of an exchange, and reports it when it is over. */
function watching({ ids, nowMs, wallMs, reporters }: TraceOptions): ((x: Exchange) => void) | undefined {
  if (reporters.length === 0) return undefined
  const onAnotherAttempt = spanPerAttempt(ids)
  const wall = new WallTimes({ monotonicMs: nowMs, wallMs })
  const report = (x: Exchange, reply: Reply | undefined): void => {
    wall.follow()
    for (const span of exchangeSpans(x, reply, nowMs(), wall))
      for (const reporter of reporters) reporter.report(span)
  }
  return (x) => {
    x.timeline ??= new Timeline()
    // Behind an inbound side there is one application, and its one span is the server's.
    if (x.downstream.direction === 'outbound') x.onAnotherAttempt = onAnotherAttempt
    x.whenDone(report)
  }
}

/** Of a request that came with a context, in `forms`. */
function continued(x: Exchange, forms: number, { ids, sampling, random }: TraceOptions): TraceContext {
  const incoming = extractTrace(x.headers, forms)
  return {
    traceId: incoming?.traceId ?? ids.traceId(),
    spanId: ids.spanId(),
    parentSpanId: incoming?.spanId,
    sampled: incoming?.sampled ?? random() < sampling.rate,
    debug: incoming?.debug === true,
  }
}

function sampled(ids: TraceIds): TraceContext {
  return {
    traceId: ids.traceId(),
    spanId: ids.spanId(),
    parentSpanId: undefined,
    sampled: true,
    debug: false,
  }
}

export function trace(options: TraceOptions): Layer {
  const { ids, sampling, random } = options
  const watch = watching(options)
  return (next) =>
    function traceExchange(x, receiver) {
      const { headers } = x
      const forms = traceForms(headers)
      if (forms === 0 && random() >= sampling.rate) {
        const { context, lines } = ids.begin()
        x.trace = context
        headers.appendLines(lines, bothFormsNames)
      } else {
        const context = forms === 0 ? sampled(ids) : continued(x, forms, options)
        x.trace = context
        injectTrace(headers, context, forms)
        if (context.sampled && watch !== undefined) watch(x)
      }
      next(x, receiver)
    }
}
