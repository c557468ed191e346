/** The access log in Apache's combined form, so that what reads that of web servers reads ours. Pure. */
import type { Exchange, Reply } from '../exchange.ts'
import type { Refusal, TcpRecord } from './access-records.ts'

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

const two = (value: number): string => String(value).padStart(2, '0')

/** As Apache writes it, in UTC: 10/Oct/2000:13:55:36 +0000. */
export function apacheTime(wallMs: number): string {
  const at = new Date(wallMs)
  const day = `${two(at.getUTCDate())}/${months[at.getUTCMonth()]}/${at.getUTCFullYear()}`
  return `${day}:${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000`
}

/** A peer's characters must not end the field that they are in. */
function escaped(text: string | undefined): string {
  if (text === undefined || text === '') return '-'
  return /["\\\t]/.test(text) ? text.replaceAll(/["\\]/g, '\\$&').replaceAll('\t', '\\t') : text
}

function head(peer: string, principal: string | undefined, time: string): string {
  return `${peer} - ${principal ?? '-'} [${time}]`
}

/** Behind the form's own fields, as nginx has its own there: the rule of access, and the one that only audits. */
function ruleFields(rule: string | undefined, auditRule: string | undefined): string {
  if (rule === undefined || rule === '') return ''
  const decided = ` "${escaped(rule)}"`
  return auditRule === undefined || auditRule === '' ? decided : `${decided} "${escaped(auditRule)}"`
}

export function apacheExchange(
  x: Exchange,
  reply: Reply | undefined,
  sentBytes: number,
  time: string,
): string {
  const { peerAddress, principal } = x.downstream
  const request = `${x.method} ${escaped(x.requestTarget)} HTTP/${x.http2 ? '2.0' : '1.1'}`
  const referer = escaped(x.headers.get('referer'))
  const agent = escaped(x.headers.get('user-agent'))
  const rules = ruleFields(x.accessRule, x.auditRule)
  return `${head(peerAddress, principal, time)} "${request}" ${reply?.status ?? 0} ${sentBytes} "${referer}" "${agent}"${rules}`
}

export function apacheRefusal({ peer, status }: Refusal, time: string): string {
  return `${head(peer, undefined, time)} "-" ${status} 0 "-" "-"`
}

/** As far as a connection has what it asks for. */
export function apacheTcp(
  { peer, principal, destination, sentBytes, flag, rule, auditRule }: TcpRecord,
  time: string,
): string {
  const outcome = flag === '' ? '-' : flag
  return `${head(peer, principal, time)} "TCP ${destination}" ${outcome} ${sentBytes} "-" "-"${ruleFields(rule, auditRule)}`
}
