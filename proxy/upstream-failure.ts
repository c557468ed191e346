import type { ResponseFlag } from './exchange.ts'

export type UpstreamFailureKind =
  | 'connect'
  | 'connect-timeout'
  | 'tls'
  | 'reset'
  | 'malformed'
  | 'timeout'
  | 'no-endpoint'
  | 'cancelled'

/** What each kind is answered with, and the flag that names it. */
const answers: Readonly<
  Record<UpstreamFailureKind, { readonly status: number; readonly flag: ResponseFlag }>
> = {
  connect: { status: 503, flag: 'UF' },
  'connect-timeout': { status: 503, flag: 'UF' },
  tls: { status: 503, flag: 'UF' },
  reset: { status: 502, flag: 'UC' },
  malformed: { status: 502, flag: 'UPE' },
  timeout: { status: 504, flag: 'UT' },
  'no-endpoint': { status: 503, flag: 'UH' },
  cancelled: { status: 499, flag: 'DC' },
}

/** An attempt that brought no reply, with what a retry has to know to be safe. */
export class UpstreamFailure extends Error {
  readonly kind: UpstreamFailureKind
  /** Some byte of the request may have reached the application. */
  readonly requestWritten: boolean
  /** The connection had been idle before: it may just have been closed for that. */
  readonly reusedConnection: boolean
  /** Some byte of a reply has arrived: the application was at work. */
  readonly replyStarted: boolean

  constructor(
    kind: UpstreamFailureKind,
    message: string,
    facts: {
      readonly requestWritten?: boolean
      readonly reusedConnection?: boolean
      readonly replyStarted?: boolean
    } = {},
    cause?: unknown,
  ) {
    super(message, { cause })
    this.name = 'UpstreamFailure'
    this.kind = kind
    this.requestWritten = facts.requestWritten === true
    this.reusedConnection = facts.reusedConnection === true
    this.replyStarted = facts.replyStarted === true
  }

  get status(): number {
    return answers[this.kind].status
  }

  get flag(): ResponseFlag {
    return answers[this.kind].flag
  }
}
