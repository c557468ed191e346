/** WebSockets of `ws` on streams of HTTP/2, which it does not know itself. */
import type { Duplex } from 'node:stream'
import { WebSocket } from 'ws'

type Settable = { setSocket(socket: unknown, head: Buffer, options: object): void }
type Made = new (none: null, protocols: undefined, options: object) => WebSocket

/** The frames of a WebSocket on a stream whose handshake is done. */
export function webSocketOn(stream: Duplex, side: 'client' | 'server'): WebSocket {
  const made = new (WebSocket as unknown as Made)(null, undefined, {})
  // It would take itself for the server of what it did not ask for.
  Object.assign(made, { _isServer: side === 'server' })
  const options = { maxPayload: 0, skipUTF8Validation: false, allowSynchronousEvents: true }
  ;(made as unknown as Settable).setSocket(stream, Buffer.alloc(0), options)
  return made
}
