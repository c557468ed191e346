/** Raw sockets for tests: a server that records what it is sent, a client that sends bytes and collects the answer. */
import net from 'node:net'

export type RawServer = {
  readonly port: number
  /** What each connection sent, latin1, in the order of their opening. */
  readonly received: readonly string[]
  readonly connections: () => number
  readonly stop: () => Promise<void>
}

/** `onData(text, socket, index)` sees everything that a connection has sent so far. */
export async function startRawServer(
  onData: (text: string, socket: net.Socket, connection: number) => void,
): Promise<RawServer> {
  const received: string[] = []
  const sockets = new Set<net.Socket>()
  const server = net.createServer({ noDelay: true }, (socket) => {
    const index = received.push('') - 1
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (piece) => {
      received[index] += piece.toString('latin1')
      onData(received[index] as string, socket, index)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as net.AddressInfo).port,
    received,
    connections: () => received.length,
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

export type RawAnswer = { readonly text: string; readonly closed: boolean }

/**
 * Sends `pieces` one after the other (each flushed on its own) and collects until `done(text)` holds or the peer
 * closes. Rejects after 5 s, naming what came.
 */
export function exchangeRaw(
  port: number,
  pieces: readonly string[],
  done: (text: string) => boolean = () => false,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    const timer = setTimeout(() => finish(undefined), 5000)
    const finish = (answer: RawAnswer | undefined): void => {
      clearTimeout(timer)
      socket.destroy()
      if (answer === undefined) reject(new Error(`no end in sight; so far: ${JSON.stringify(text)}`))
      else resolve(answer)
    }
    socket.on('data', (piece) => {
      text += piece.toString('latin1')
      if (done(text)) finish({ text, closed: false })
    })
    socket.on('error', () => undefined)
    socket.on('close', () => finish({ text, closed: true }))
    const send = (at: number): void => {
      const piece = pieces[at]
      if (piece !== undefined && !socket.destroyed)
        socket.write(piece, 'latin1', () => setImmediate(send, at + 1))
    }
    socket.on('connect', () => send(0))
  })
}
