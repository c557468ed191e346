/** One line per exchange, when its last byte was written. Absent from the chain when it is off. */
import type { Log } from '../../core/log.ts'
import type { Downstream, Exchange, Reply, ResponseFlag } from '../exchange.ts'
import type { Layer } from '../layer.ts'

export type AccessLogFormat = 'json' | 'apache'

type Refusal = {
  readonly status: number
  readonly flag: ResponseFlag
  readonly code: string
  readonly message: string
}
type Facts = { readonly nowMs: () => number; readonly wallMs: () => number }

function jsonFields(x: Exchange, reply: Reply | undefined, sentBytes: number, facts: Facts): object {
  return {
    direction: x.downstream.direction,
    method: x.method,
    authority: x.authority,
    path: x.requestTarget,
    status: reply?.status ?? 0,
    flag: x.flag,
    route: x.routeName,
    cluster: x.clusterName,
    upstream: x.upstreamAddress,
    attempts: x.attempts,
    // Only where there is something to say.
    ...(x.retryReason === '' ? {} : { retryReason: x.retryReason }),
    ...(x.retryStop === '' ? {} : { retryStop: x.retryStop }),
    peer: x.downstream.peerAddress,
    principal: x.downstream.principal,
    traceId: x.trace?.traceId,
    requestBytes: x.body.receivedBytes,
    responseBytes: sentBytes,
    durationMs: Math.round((facts.nowMs() - x.startedAtMs) * 1000) / 1000,
  }
}

/** Common log format; the quotes keep a peer's characters from forging a second line. */
function apacheLine(x: Exchange, reply: Reply | undefined, sentBytes: number, facts: Facts): string {
  const quoted = (text: string | undefined): string => (text ?? '-').replaceAll(/["\\]/g, '\\$&')
  const time = new Date(facts.wallMs()).toISOString()
  const request = `${x.method} ${quoted(x.requestTarget)} HTTP/1.1`
  const agent = quoted(x.headers.get('user-agent'))
  const user = x.downstream.principal ?? '-'
  return `${x.downstream.peerAddress} - ${user} [${time}] "${request}" ${reply?.status ?? 0} ${sentBytes} "-" "${agent}"`
}

/** The line of a request that could not be read, and so never became an exchange. */
export function logRefusal(
  format: AccessLogFormat,
  log: Log,
  { direction, peerAddress: peer }: Pick<Downstream, 'direction' | 'peerAddress'>,
  { status, flag, code, message }: Refusal,
  wallMs: () => number,
): void {
  if (format === 'json') log.info({ direction, status, flag, code, reason: message, peer }, 'access')
  else log.info(`${peer} - - [${new Date(wallMs()).toISOString()}] "-" ${status} 0 "-" "-"`)
}

export function accessLog(format: AccessLogFormat, log: Log, facts: Facts): Layer {
  const write = (x: Exchange, reply: Reply | undefined, sentBytes: number): void => {
    if (format === 'json') log.info(jsonFields(x, reply, sentBytes, facts), 'access')
    else log.info(apacheLine(x, reply, sentBytes, facts))
  }
  return (next) =>
    function logExchange(x, receiver) {
      x.whenDone(write)
      next(x, receiver)
    }
}
