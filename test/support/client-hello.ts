/** The ClientHello that Node sends, for tests that pass it on unread. */
import { Duplex } from 'node:stream'
import { connect } from 'node:tls'

/** Latin1. */
export function clientHello(servername: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = new Duplex({
      read: () => undefined,
      write: (piece: Buffer, _encoding, done) => {
        resolve(piece.toString('latin1'))
        done()
        setImmediate(() => socket.destroy())
      },
    })
    connect({ socket, servername }).on('error', () => undefined)
  })
}
