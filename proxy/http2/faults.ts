/** How HTTP/2 goes wrong: for a whole connection, or for one stream. */
import { errorCode } from './frame-types.ts'

/** The connection cannot go on: GOAWAY with `code`, then it is closed (RFC 9113 5.4.1). */
export class ConnectionFault extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.name = 'ConnectionFault'
    this.code = code
  }
}

export function protocolError(message: string): ConnectionFault {
  return new ConnectionFault(errorCode.protocolError, message)
}

/** A frame has a length that it cannot have. */
export function sizeError(message: string): ConnectionFault {
  return new ConnectionFault(errorCode.frameSizeError, message)
}

/** One stream cannot go on: RST_STREAM with `code`, the others do (RFC 9113 5.4.2). */
export class StreamFault extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.name = 'StreamFault'
    this.code = code
  }
}

/** The peer has reset a stream with `code`. */
export class StreamReset extends Error {
  readonly code: number

  constructor(code: number) {
    super(`the peer reset the stream with code ${code}`)
    this.name = 'StreamReset'
    this.code = code
  }
}
