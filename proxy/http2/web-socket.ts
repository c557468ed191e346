/**
 * The WebSocket handshake of HTTP/1 (RFC 6455 4), made for a client whose own is a CONNECT (RFC 8441), and answered for an
 * upstream whose own is one.
 */
import { createHash, randomBytes } from 'node:crypto'
import { WeftError } from '../../core/errors.ts'
import type { Exchange } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'

const keyName = 'sec-websocket-key'
const acceptName = 'sec-websocket-accept'
/** Of RFC 6455 1.3. */
const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Adds what an HTTP/1 application wants to see answered. */
export function beginHandshake(request: HeaderList): void {
  request.remove(acceptName)
  request.set(keyName, randomBytes(16).toString('base64'))
}

/** Whether a 101 answers what was asked, and not something else; takes the answer out, which the client has not asked for. */
export function completeHandshake(request: HeaderList, reply: HeaderList): boolean {
  const answer = reply.get(acceptName)
  reply.remove(acceptName)
  return answer === acceptFor(request.get(keyName) ?? '')
}

/** Whether `x` can be sent as a CONNECT. Throws WeftError: UPGRADE_UNSUPPORTED, or REQUEST_MALFORMED where only we can still say so. */
export function checkHandshake({ upgrade, method, headers }: Exchange): void {
  if (upgrade?.toLowerCase() !== 'websocket')
    throw new WeftError(
      'UPGRADE_UNSUPPORTED',
      'the endpoint speaks HTTP/2 only, which has WebSockets and no other upgrade',
    )
  if (method !== 'GET') throw new WeftError('REQUEST_MALFORMED', 'a WebSocket is asked for by GET')
  if (!/^[A-Za-z0-9+/]{22}==$/.test(headers.get(keyName) ?? ''))
    throw new WeftError('REQUEST_MALFORMED', 'a WebSocket needs one Sec-WebSocket-Key of 16 bytes')
}

/** The fields of a request without those that only HTTP/1 has in it; a copy, as it may have to be sent again. */
export function withoutHandshake(request: HeaderList): HeaderList {
  const fields = request.copy()
  for (const name of [keyName, acceptName, 'content-length']) fields.remove(name)
  return fields
}

/** Adds what an HTTP/1 client wants to see answered, and nothing that the upstream has made up. */
export function answerHandshake(request: HeaderList, reply: HeaderList): void {
  reply.remove(acceptName)
  reply.append('Sec-WebSocket-Accept', acceptFor(request.get(keyName) ?? ''))
}

/** The `Sec-WebSocket-Accept` that answers `key`. */
export function acceptFor(key: string): string {
  return createHash('sha1').update(`${key}${guid}`).digest('base64')
}
