/** Continues the caller's trace, or starts one; a sampled exchange becomes spans. */
import type { Exchange, Reply, TraceContext } from '../exchange.ts'
import type { Layer } from '../layer.ts'
import { exchangeSpans } from '../telemetry/exchange-spans.ts'
import { BegunTraces } from '../telemetry/begun-traces.ts'
import type { SpanReporter } from '../telemetry/span.ts'
import { type AttemptTimes, Timeline } from '../telemetry/timeline.ts'
import { continueTrace } from '../telemetry/continued-trace.ts'
import {
  bothFormsNames,
  extractTrace,
  injectTrace,
  mayHaveTrace,
  traceForms,
} from '../telemetry/trace-context.ts'
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
    const { traceId, sampled, debug } = trace
    const parentSpanId = timeline.groupSpanId
    injectTrace(x.headers, { traceId, spanId: attempt.spanId, parentSpanId, sampled, debug })
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
  const context = {
    traceId: incoming?.traceId ?? ids.traceId(),
    spanId: ids.spanId(),
    parentSpanId: incoming?.spanId,
    sampled: incoming?.sampled ?? random() < sampling.rate,
    debug: incoming?.debug === true,
  }
  injectTrace(x.headers, context, forms)
  return context
}

/** The context of a request that nobody has one for yet. */
function begun({ headers }: Exchange, unsampled: BegunTraces, options: TraceOptions): TraceContext {
  const { ids, sampling, random } = options
  if (random() >= sampling.rate) {
    const context = unsampled.next()
    headers.appendLines(context.lines, bothFormsNames)
    return context
  }
  const [traceId, spanId] = [ids.traceId(), ids.spanId()]
  const context = { traceId, spanId, parentSpanId: undefined, sampled: true, debug: false }
  injectTrace(headers, context, 0)
  return context
}

export function trace(options: TraceOptions): Layer {
  const { ids } = options
  const unsampled = new BegunTraces()
  const watch = watching(options)
  const contextOf = (x: Exchange): TraceContext => {
    if (!mayHaveTrace(x.headers)) return begun(x, unsampled, options)
    const usual = continueTrace(x.headers, ids.spanId())
    if (usual !== undefined) return usual
    const forms = traceForms(x.headers)
    return forms === 0 ? begun(x, unsampled, options) : continued(x, forms, options)
  }
  return (next) =>
    function traceExchange(x, receiver) {
      const context = contextOf(x)
      x.trace = context
      if (context.sampled && watch !== undefined) watch(x)
      next(x, receiver)
    }
}
