/** The access log: what is written of whom, in which form. All of it can be changed while exchanges are in flight. */
import type { Exchange, Reply } from '../exchange.ts'
import { callStatus } from '../grpc/grpc-call.ts'
import { isGrpcFailure } from '../grpc/status-codes.ts'
import { exchangeJson, jsonHead } from './access-json.ts'
import { apacheExchange, apacheRefusal, apacheTcp, apacheTime } from './access-apache.ts'
import type { AccessLines } from './access-lines.ts'
import type { Refusal, TcpRecord } from './access-records.ts'
import { Timeline } from './timeline.ts'

export const accessLogFormats = ['off', 'json', 'apache'] as const
export type AccessLogFormat = (typeof accessLogFormats)[number]
/** `sampled`: what is traced too. `errors`: what failed on our side or the server's. */
export const accessLogFilters = ['all', 'sampled', 'errors'] as const
export type AccessLogFilter = (typeof accessLogFilters)[number]

export type AccessLogOptions = {
  /** Read for every exchange. */
  readonly switches: { format: AccessLogFormat; filter: AccessLogFilter }
  readonly lines: Pick<AccessLines, 'write'>
  readonly nowMs: () => number
  readonly wallMs: () => number
}

function isGood(x: Exchange, reply: Reply | undefined): boolean {
  const status = callStatus(x, reply)
  return status === undefined ? reply !== undefined && reply.status < 500 : !isGrpcFailure(status)
}

export class AccessLog {
  readonly #options: AccessLogOptions
  /** The last time written, as text: many lines have the same. */
  #timeMs = Number.NaN
  #timeFormat: AccessLogFormat = 'off'
  #time = ''

  constructor(options: AccessLogOptions) {
    this.#options = options
  }

  /** Writes a line when `x` is over. */
  watch(x: Exchange): void {
    if (this.#options.switches.format === 'off') return
    x.timeline ??= new Timeline()
    x.whenDone(this.#write)
  }

  /** The line of a request that could not be read, and so never became an exchange. */
  refused(refusal: Refusal): void {
    const { switches } = this.#options
    // Nothing of it was traced.
    if (switches.format === 'off' || switches.filter === 'sampled') return
    if (switches.format === 'apache') this.#line(apacheRefusal(refusal, this.#now('apache')))
    else this.#object(refusal)
  }

  /** The line of a connection whose bytes were passed on unread, when it is over. */
  connection(record: TcpRecord): void {
    const { format, filter } = this.#options.switches
    if (format === 'off' || filter === 'sampled' || (filter === 'errors' && record.flag === '')) return
    if (format === 'apache') this.#line(apacheTcp(record, this.#now('apache')))
    else this.#object({ protocol: 'tcp', ...record })
  }

  readonly #write = (x: Exchange, reply: Reply | undefined, sentBytes: number): void => {
    const { switches, nowMs } = this.#options
    const { format, filter } = switches
    if (format === 'off') return
    if (filter === 'sampled' && x.trace?.sampled !== true) return
    if (filter === 'errors' && x.flag === '' && isGood(x, reply)) return
    this.#line(
      format === 'json'
        ? exchangeJson(x, reply, sentBytes, nowMs(), this.#now('json'))
        : apacheExchange(x, reply, sentBytes, this.#now('apache')),
    )
  }

  #object(record: object): void {
    this.#line(`${jsonHead(this.#now('json'))}${JSON.stringify(record).slice(1)}`)
  }

  #line(line: string): void {
    this.#options.lines.write(line)
  }

  #now(format: 'json' | 'apache'): string {
    const wallMs = this.#options.wallMs()
    if (wallMs === this.#timeMs && format === this.#timeFormat) return this.#time
    this.#timeMs = wallMs
    this.#timeFormat = format
    this.#time = format === 'json' ? new Date(wallMs).toISOString() : apacheTime(wallMs)
    return this.#time
  }
}
