/** An exchange as a line of JSON. By hand, as it is written for every request where it is on. Pure. */
import type { Exchange, Reply } from '../exchange.ts'
import { callStatus } from '../grpc/grpc-call.ts'
import { millisecondsText, quoted } from './json-text.ts'
import { phasesOf, type Timeline } from './timeline.ts'

/** What every line begins with, as those of the process's log do. */
export function jsonHead(time: string): string {
  return `{"level":"info","time":"${time}","process":"proxy","msg":"access",`
}

export function exchangeJson(
  x: Exchange,
  reply: Reply | undefined,
  sentBytes: number,
  nowMs: number,
  time: string,
): string {
  const { direction, peerAddress, peerPort, principal, meshTls } = x.downstream
  return (
    `${jsonHead(time)}"direction":"${direction}","method":${quoted(x.method)},"authority":${quoted(x.authority)},` +
    `"path":${quoted(x.requestTarget)},"status":${reply?.status ?? 0},${callField(x, reply)}"flag":"${x.flag}",` +
    `"route":${quoted(x.routeName)},"cluster":${quoted(x.clusterName)},"upstream":"${x.upstreamAddress}",` +
    `${ruleFields(x)}"attempts":${x.attempts},"retries":${Math.max(0, x.attempts - 1)},${retryFields(x)}` +
    `"peer":"${peerAddress}","peerPort":${peerPort},"tls":${meshTls},${identities(x, principal)}${traceFields(x)}` +
    `"requestBytes":${x.body.receivedBytes},"responseBytes":${sentBytes},${userAgent(x)}` +
    `${times(x.timeline, x.startedAtMs, nowMs)}"durationMs":${millisecondsText(nowMs - x.startedAtMs)}}`
  )
}

function callField(x: Exchange, reply: Reply | undefined): string {
  return x.grpc === undefined ? '' : `"grpcStatus":${callStatus(x, reply)},`
}

/** Of access: only where there are any. */
function ruleFields({ accessRule, auditRule }: Exchange): string {
  const rule = accessRule === '' ? '' : `"rule":${quoted(accessRule)},`
  return auditRule === '' ? rule : `${rule}"auditRule":${quoted(auditRule)},`
}

/** Only where there is something to say. */
function retryFields({ retryReason, retryStop }: Exchange): string {
  const reason = retryReason === '' ? '' : `"retryReason":"${retryReason}",`
  return retryStop === '' ? reason : `${reason}"retryStop":"${retryStop}",`
}

function identities({ upstreamPrincipal }: Exchange, principal: string | undefined): string {
  const client = principal === undefined ? '' : `"principal":${quoted(principal)},`
  return upstreamPrincipal === undefined
    ? client
    : `${client}"upstreamPrincipal":${quoted(upstreamPrincipal)},`
}

function traceFields({ trace }: Exchange): string {
  if (trace === undefined) return ''
  return `"traceId":"${trace.traceId}","spanId":"${trace.spanId}","sampled":${trace.sampled},`
}

function userAgent({ headers }: Exchange): string {
  const agent = headers.get('user-agent')
  return agent === undefined ? '' : `"userAgent":${quoted(agent)},`
}

function times(timeline: Timeline | undefined, startedMs: number, nowMs: number): string {
  if (timeline === undefined) return ''
  const { queueMs, connectMs, tlsMs, waitMs, streamMs } = phasesOf(timeline, startedMs, nowMs)
  return (
    `"queueMs":${millisecondsText(queueMs)},"connectMs":${millisecondsText(connectMs)},"tlsMs":${millisecondsText(tlsMs)},` +
    `"waitMs":${millisecondsText(waitMs)},"streamMs":${millisecondsText(streamMs)},`
  )
}
