import { type ErrorCode, errorCodes } from '../../core/errors.ts'
import type { ResponseFlag } from '../exchange.ts'

/** Refusals that have a code of their own, by status; the rest is REQUEST_MALFORMED. */
const codes: ReadonlyMap<number, ErrorCode> = new Map(
  (['REQUEST_HEADERS_TOO_LARGE', 'REQUEST_TIMEOUT', 'REQUEST_UNSUPPORTED'] as const).map((code) => [
    errorCodes[code].http.status,
    code,
  ]),
)
const httpVersionNotSupported = 505
/** RFC 9112 3; the header is too large in the line that has no fields. */
const targetTooLong = 414

/** A peer broke HTTP/1.1's rules; carries the status that a client gets, when the peer is one. */
export class WireError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'WireError'
    this.status = status
  }

  /** The peer was too slow, or broke the protocol. */
  get flag(): ResponseFlag {
    return errorCodes[this.status === 408 ? 'REQUEST_TIMEOUT' : 'REQUEST_MALFORMED'].http.flag
  }

  /** What a refused client is told beside the reason. */
  get code(): ErrorCode {
    if (this.status === httpVersionNotSupported) return 'REQUEST_UNSUPPORTED'
    if (this.status === targetTooLong) return 'REQUEST_HEADERS_TOO_LARGE'
    return codes.get(this.status) ?? 'REQUEST_MALFORMED'
  }
}
