/** Continues the caller's trace, or starts one; reports a span per sampled exchange. */
import { formatAddress } from '../../core/address.ts'
import { type Exchange, type Reply, type TraceContext } from '../exchange.ts'
import type { Layer } from '../layer.ts'
import type { SpanReporter } from '../telemetry/span.ts'
import { extractTrace, injectTrace } from '../telemetry/trace-context.ts'
import type { TraceIds } from '../telemetry/trace-ids.ts'

export type TraceOptions = {
  readonly ids: TraceIds
  /** Share of the traces begun here that are sampled, 0 to 1; read per request, so that it can be changed. */
  readonly sampling: { rate: number }
  readonly random: () => number
  readonly nowMs: () => number
  readonly wallMs: () => number
  /** undefined: contexts are passed on, nothing is reported. */
  readonly reporter: SpanReporter | undefined
}

function attributes(x: Exchange, reply: Reply | undefined): Record<string, string | number> {
  const facts: Record<string, string | number> = {
    'http.method': x.method,
    'http.path': x.requestTarget.split('?', 1)[0] as string,
    'http.host': x.authority,
    'http.status_code': reply?.status ?? 0,
    'weft.direction': x.downstream.direction,
    'weft.attempts': x.attempts,
  }
  if (x.routeName !== '') facts['weft.route'] = x.routeName
  if (x.clusterName !== '') facts['weft.cluster'] = x.clusterName
  if (x.retryReason !== '') facts['weft.retry_reason'] = x.retryReason
  if (x.retryStop !== '') facts['weft.retry_stop'] = x.retryStop
  if (x.flag !== '') facts['weft.flag'] = x.flag
  if (x.upstreamAddress !== '') facts['weft.upstream'] = x.upstreamAddress
  const peer = x.downstream.direction === 'inbound' ? x.downstream.principal : x.upstreamPrincipal
  if (peer !== undefined) facts['weft.peer'] = peer
  return facts
}

/** Why the exchange counts as failed: the flag of whoever gave up, else the status. */
function errorOf(x: Exchange, reply: Reply | undefined): string | undefined {
  if (reply !== undefined && reply.status < 500) return undefined
  return x.flag === '' ? String(reply?.status ?? 'no reply') : x.flag
}

function remoteOf(x: Exchange): string {
  const { direction, peerAddress: host, peerPort: port } = x.downstream
  return direction === 'inbound' ? formatAddress({ host, port }) : x.upstreamAddress
}

function reportWhenDone(
  x: Exchange,
  context: TraceContext,
  reporter: SpanReporter,
  options: TraceOptions,
): void {
  const startWallMs = options.wallMs()
  x.whenDone((done, reply) =>
    reporter.report({
      traceId: context.traceId,
      spanId: context.spanId,
      parentSpanId: context.parentSpanId,
      kind: x.downstream.direction === 'inbound' ? 'server' : 'client',
      name: `${x.method} ${x.authority}`,
      startWallMs,
      durationMs: options.nowMs() - x.startedAtMs,
      error: errorOf(done, reply),
      remoteAddress: remoteOf(done),
      attributes: attributes(done, reply),
    }),
  )
}

export function trace(options: TraceOptions): Layer {
  const { ids, sampling, random, reporter } = options
  return (next) =>
    function traceExchange(x, receiver) {
      const incoming = extractTrace(x.headers)
      const context: TraceContext = {
        traceId: incoming?.traceId ?? ids.traceId(),
        spanId: ids.spanId(),
        parentSpanId: incoming?.spanId,
        sampled: incoming?.sampled ?? random() < sampling.rate,
      }
      x.trace = context
      injectTrace(x.headers, context)
      if (context.sampled && reporter !== undefined) reportWhenDone(x, context, reporter, options)
      next(x, receiver)
    }
}
