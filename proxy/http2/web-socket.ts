/** The WebSocket handshake of HTTP/1 (RFC 6455 4), made for a client whose own is a CONNECT (RFC 8441). */
import { createHash, randomBytes } from 'node:crypto'
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

/** The `Sec-WebSocket-Accept` that answers `key`. */
export function acceptFor(key: string): string {
  return createHash('sha1').update(`${key}${guid}`).digest('base64')
}
