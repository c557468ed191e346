/** Decides how long a message's body is: RFC 9112 section 6.3. */
import { type BodyLength, chunked, untilClose } from '../body.ts'
import type { Fields } from './fields.ts'
import { WireError } from './wire-error.ts'

function checkTransferEncoding(fields: Fields, versionMinor: number, status: number): void {
  const value = fields.transferEncoding as string
  if (fields.contentLength !== -1) throw new WireError(status, 'both Content-Length and Transfer-Encoding')
  if (versionMinor === 0) throw new WireError(status, 'Transfer-Encoding in HTTP/1.0')
  if (value === 'chunked') return
  const codings = value.split(',').map((coding) => coding.trim())
  const chunkedLast = codings.indexOf('chunked') === codings.length - 1
  // Another coding below chunked is legal, but whoever re-frames must not forward what it does not understand.
  if (status === 400 && codings.length > 1 && chunkedLast)
    throw new WireError(501, 'unsupported transfer coding')
  throw new WireError(status, 'malformed Transfer-Encoding')
}

/** RFC 9112 6.3 for requests: one decision, made once; any doubt is a 400 (501 for unknown codings). */
export function requestBodyLength(fields: Fields, versionMinor: number): BodyLength {
  if (fields.transferEncoding !== undefined) {
    checkTransferEncoding(fields, versionMinor, 400)
    return chunked
  }
  return fields.contentLength === -1 ? 0 : fields.contentLength
}

/** RFC 9112 6.3 for responses; any doubt throws WireError(502). */
export function responseBodyLength(
  fields: Fields,
  versionMinor: number,
  status: number,
  requestMethod: string,
): BodyLength {
  if (fields.transferEncoding !== undefined) checkTransferEncoding(fields, versionMinor, 502)
  if (requestMethod === 'HEAD' || status === 304 || status === 204 || status < 200) return 0
  if (fields.transferEncoding !== undefined) return chunked
  return fields.contentLength === -1 ? untilClose : fields.contentLength
}
