/** The spans of an exchange that is over: one, or one for each attempt and one around them. Pure. */
import { formatAddress } from '../../core/address.ts'
import type { Exchange, Reply, TraceContext } from '../exchange.ts'
import { callStatus } from '../grpc/grpc-call.ts'
import { isGrpcFailure } from '../grpc/status-codes.ts'
import type { SpanEvent, SpanRecord } from './span.ts'
import type { AttemptTimes, Timeline } from './timeline.ts'

/** What a client writes must not make spans large. */
const maxPathLength = 256
const maxNameLength = 64

type Wall = { readonly at: (monotonicMs: number) => number }

/** `x` must have a context and a timeline; `endMs` is when it was over, by the monotonic clock. */
export function exchangeSpans(
  x: Exchange,
  reply: Reply | undefined,
  endMs: number,
  wall: Wall,
): readonly SpanRecord[] {
  const { trace, timeline } = x
  if (trace === undefined || timeline === undefined) return []
  const { attempts } = timeline
  if (timeline.groupSpanId === '') return [exchangeSpan(x, reply, trace, attempts.at(-1), endMs, wall)]
  return [
    groupSpan(x, reply, trace, timeline, endMs, wall),
    ...attempts.map((attempt, i) => attemptSpan(x, trace, timeline, attempt, i, endMs, wall)),
  ]
}

function exchangeSpan(
  x: Exchange,
  reply: Reply | undefined,
  trace: TraceContext,
  attempt: AttemptTimes | undefined,
  endMs: number,
  wall: Wall,
): SpanRecord {
  const { direction, principal, peerAddress: host, peerPort: port } = x.downstream
  const inbound = direction === 'inbound'
  const peer = inbound ? principal : attempt?.principal
  return {
    traceId: trace.traceId,
    spanId: trace.spanId,
    parentSpanId: trace.parentSpanId,
    debug: trace.debug,
    kind: inbound ? 'server' : 'client',
    name: nameOf(x),
    startWallMs: wall.at(x.startedAtMs),
    durationMs: endMs - x.startedAtMs,
    error: errorOf(x, reply),
    remoteAddress: inbound ? formatAddress({ host, port }) : x.upstreamAddress,
    remoteService: inbound ? serviceOf(principal) : remoteServiceOf(x, attempt),
    events: eventsOf(attempt, x.startedAtMs, wall),
    attributes: attributesOf(x, reply, peer),
  }
}

/** Of no kind: a collector's graph is of those that really call each other. */
function groupSpan(
  x: Exchange,
  reply: Reply | undefined,
  trace: TraceContext,
  { groupSpanId, attempts }: Timeline,
  endMs: number,
  wall: Wall,
): SpanRecord {
  return {
    ...exchangeSpan(x, reply, trace, undefined, endMs, wall),
    spanId: groupSpanId,
    kind: 'internal',
    remoteAddress: '',
    remoteService: '',
    attributes: [...attributesOf(x, reply, undefined), 'weft.retries', attempts.length - 1],
  }
}

function attemptSpan(
  x: Exchange,
  trace: TraceContext,
  { groupSpanId }: Timeline,
  attempt: AttemptTimes,
  index: number,
  endMs: number,
  wall: Wall,
): SpanRecord {
  const { startedMs, status, failure, upstream, principal, cluster, spanId, reason } = attempt
  const endedMs = attempt.endedMs === 0 ? endMs : Math.min(attempt.endedMs, endMs)
  const attributes = ['http.method', x.method, 'http.status_code', status, 'weft.attempt', index + 1]
  if (cluster !== '') attributes.push('weft.cluster', cluster)
  if (upstream !== '') attributes.push('weft.upstream', upstream)
  if (principal !== undefined) attributes.push('weft.peer', principal)
  if (reason !== '') attributes.push('weft.retry_reason', reason)
  return {
    traceId: trace.traceId,
    spanId: spanId === '' ? trace.spanId : spanId,
    parentSpanId: groupSpanId,
    debug: trace.debug,
    kind: 'client',
    name: nameOf(x),
    startWallMs: wall.at(startedMs),
    durationMs: endedMs - startedMs,
    error: attemptError(x, attempt, status, failure),
    remoteAddress: upstream,
    remoteService: remoteServiceOf(x, attempt),
    events: eventsOf(attempt, startedMs, wall),
    attributes,
  }
}

/** By the configuration's names and no client's: a collector keeps a list of them. */
function nameOf({ method, clusterName }: Exchange): string {
  const name = clusterName === '' ? method : `${method} ${clusterName}`
  return name.length > maxNameLength * 2 ? name.slice(0, maxNameLength * 2) : name
}

/** Why the exchange counts as failed: the flag of whoever gave up, else the status. */
function errorOf(x: Exchange, reply: Reply | undefined): string | undefined {
  const call = callStatus(x, reply)
  const failed = call === undefined ? reply === undefined || reply.status >= 500 : isGrpcFailure(call)
  if (!failed) return undefined
  if (x.flag !== '') return x.flag
  return call === undefined ? String(reply?.status ?? 'no reply') : `grpc-status ${call}`
}

function attemptError(
  x: Exchange,
  { endedMs }: AttemptTimes,
  status: number,
  failure: string,
): string | undefined {
  if (failure !== '') return failure
  if (status >= 500) return String(status)
  if (status > 0) return undefined
  // Still under way when the exchange was over.
  return endedMs === 0 && x.flag !== '' ? x.flag : 'no reply'
}

/** As the other side's own spans name it, where its identity is known; else the backend. */
function remoteServiceOf({ destination }: Exchange, attempt: AttemptTimes | undefined): string {
  if (attempt === undefined) return ''
  const service = serviceOf(attempt.principal)
  return service === '' ? destination.slice(0, maxPathLength) : service
}

/** `sa.namespace` of a SPIFFE id. The last one is kept: a sidecar has few peers. */
let lastPrincipal: string | undefined
let lastService = ''

function serviceOf(principal: string | undefined): string {
  if (principal === lastPrincipal) return lastService
  const parts =
    principal === undefined ? null : /^spiffe:\/\/[^/]+\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(principal)
  lastPrincipal = principal
  lastService = parts === null ? '' : `${parts[2]}.${parts[1]}`
  return lastService
}

/** Each phase at its beginning, as far as there was one. */
function eventsOf(attempt: AttemptTimes | undefined, beganMs: number, wall: Wall): SpanEvent[] {
  if (attempt === undefined) return []
  const { startedMs, connectedMs, securedMs, sentMs, repliedMs } = attempt
  const events: SpanEvent[] = []
  if (startedMs > beganMs) events.push({ name: 'queue', wallMs: wall.at(beganMs) })
  if (sentMs !== startedMs) events.push({ name: 'connect', wallMs: wall.at(startedMs) })
  if (connectedMs !== 0 && (securedMs !== 0 || sentMs === 0))
    events.push({ name: 'tls', wallMs: wall.at(connectedMs) })
  if (sentMs !== 0) events.push({ name: 'wait', wallMs: wall.at(sentMs) })
  if (repliedMs !== 0) events.push({ name: 'stream', wallMs: wall.at(repliedMs) })
  return events
}

function attributesOf(x: Exchange, reply: Reply | undefined, peer: string | undefined): (string | number)[] {
  const call = callStatus(x, reply)
  const facts: (string | number)[] = [
    'http.method',
    x.method,
    'http.path',
    pathOf(x.requestTarget),
    'http.host',
    x.authority.slice(0, maxPathLength),
    'http.status_code',
    reply?.status ?? 0,
    'weft.direction',
    x.downstream.direction,
    'weft.attempts',
    x.attempts,
  ]
  if (x.routeName !== '') facts.push('weft.route', x.routeName)
  if (x.clusterName !== '') facts.push('weft.cluster', x.clusterName)
  if (x.retryReason !== '') facts.push('weft.retry_reason', x.retryReason)
  if (x.retryStop !== '') facts.push('weft.retry_stop', x.retryStop)
  if (x.flag !== '') facts.push('weft.flag', x.flag)
  if (call !== undefined) facts.push('rpc.grpc.status_code', call)
  if (x.upstreamAddress !== '') facts.push('weft.upstream', x.upstreamAddress)
  if (peer !== undefined) facts.push('weft.peer', peer)
  return facts
}

/** Without the query, which may hold what is nobody's business. */
function pathOf(target: string): string {
  const query = target.indexOf('?')
  const length = query === -1 ? target.length : query
  return target.slice(0, Math.min(length, maxPathLength))
}
