/** One line per connection whose bytes were passed on unread, when it is over. */
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { Direction, ResponseFlag } from './exchange.ts'
import type { AccessLogFormat } from './layers/access-log.ts'

export type TcpRecord = {
  readonly direction: Direction
  /** The client's address. */
  readonly peer: string
  /** Proven by its certificate; undefined in clear. */
  readonly principal: string | undefined
  /** What the client asked for: a name or an address, with its port. */
  readonly destination: string
  /** Empty when none was chosen. */
  readonly cluster: string
  readonly upstream: string
  readonly receivedBytes: number
  readonly sentBytes: number
  readonly durationMs: number
  /** Why it did not come to a good end: empty when it did. */
  readonly flag: ResponseFlag
}

/** Common log format, as far as a connection has what it asks for. */
function apacheLine(record: TcpRecord, wallMs: number): string {
  const { peer, principal, destination, sentBytes, flag } = record
  const time = new Date(wallMs).toISOString()
  return `${peer} - ${principal ?? '-'} [${time}] "TCP ${destination}" ${flag === '' ? '-' : flag} ${sentBytes}`
}

export function tcpAccessLog(
  format: AccessLogFormat,
  log: Log,
  { wallMs }: Pick<Clock, 'wallMs'>,
): (record: TcpRecord) => void {
  return (record) => {
    if (format === 'json') log.info({ protocol: 'tcp', ...record }, 'access')
    else log.info(apacheLine(record, wallMs()))
  }
}
