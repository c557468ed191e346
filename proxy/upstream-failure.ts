import { type ErrorCode, errorCodes, WeftError } from '../core/errors.ts'
import type { ResponseFlag } from './exchange.ts'

export type UpstreamFailureKind =
  | 'connect'
  | 'connect-timeout'
  | 'tls'
  | 'refused'
  | 'reset'
  | 'malformed'
  | 'no-tunnel'
  | 'http1-required'
  | 'timeout'
  | 'no-endpoint'
  | 'overflow'
  | 'cancelled'

/** Their entries say what each is answered with. */
const codes = {
  connect: 'UPSTREAM_CONNECT_FAILED',
  'connect-timeout': 'UPSTREAM_CONNECT_TIMEOUT',
  tls: 'TLS_REFUSED',
  refused: 'UPSTREAM_REFUSED',
  reset: 'UPSTREAM_RESET',
  malformed: 'UPSTREAM_MALFORMED',
  'no-tunnel': 'UPGRADE_UNSUPPORTED',
  'http1-required': 'UPSTREAM_PROTOCOL_REFUSED',
  timeout: 'UPSTREAM_TIMEOUT',
  'no-endpoint': 'NO_ENDPOINTS',
  overflow: 'UPSTREAM_OVERFLOW',
  cancelled: 'CLIENT_DISCONNECTED',
} as const satisfies Readonly<Record<UpstreamFailureKind, ErrorCode>>

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

  /** The cause's own code where it has one: why a handshake failed says more than that it did. */
  get code(): ErrorCode {
    return this.cause instanceof WeftError ? this.cause.code : codes[this.kind]
  }

  get status(): number {
    return errorCodes[codes[this.kind]].http.status
  }

  get flag(): ResponseFlag {
    return errorCodes[codes[this.kind]].http.flag
  }
}
